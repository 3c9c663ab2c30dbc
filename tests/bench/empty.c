/* The cheapest CGI program that there is: it lets everybody pass. What starting any program costs
 * is what it takes, and the rest of what the gate takes is the gate. */
#include <unistd.h>

int main(void)
{
    static const char answer[] = "Status: 204 No Content\r\n\r\n";
    return write(STDOUT_FILENO, answer, sizeof answer - 1) == (ssize_t)sizeof answer - 1 ? 0 : 1;
}
