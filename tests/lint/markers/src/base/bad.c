/* bad: TODO say it in an issue. */
int marked; /* bad FIXME */
/* A template such as latchkey-XXXXXX is not meant. */
int xxx; /* bad XXX */
