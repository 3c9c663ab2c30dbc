/* Commands of the shell, for what they do in fewer words. */
#ifndef LATCHKEY_TESTS_SHELL_H
#define LATCHKEY_TESTS_SHELL_H

/* Runs one in the scratch folder; fails the test when it fails. */
void scratch_shell(const char *command);

#endif
