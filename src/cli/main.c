/* The latchkey command. */
#include "cli/command.h"

int main(int argc, char **argv)
{
    return command_dispatch(argc, argv);
}
