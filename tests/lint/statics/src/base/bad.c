/* What is remembered from call to call, and by whom, cannot be seen by the caller. */
static const char *const words[] = {"a", "b"};
static int calls;

int count(void)
{
    static int first = 1;
    first += words[0][0];
    return first + calls++;
}
