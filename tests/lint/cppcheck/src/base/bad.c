/* What is asked of the number is always so: the two conditions were meant to be joined by or. */
int is_outside(int number);

int is_outside(int number)
{
    return number < 1 && number > 9;
}
