/* One function within the limits; if all are like it, the code is not. */
int steps(int a)
{
    a = a * 1 + 1;
    a = a * 2 + 1;
    a = a * 3 + 1;
    a = a * 4 + 1;
    a = a * 5 + 1;
    a = a * 6 + 1;
    a = a * 7 + 1;
    a = a * 8 + 1;
    a = a * 9 + 1;
    a = a * 10 + 1;
    a = a * 11 + 1;
    a = a * 12 + 1;
    a = a * 13 + 1;
    a = a * 14 + 1;
    a = a * 15 + 1;
    a = a * 16 + 1;
    a = a * 17 + 1;
    a = a * 18 + 1;
    a = a * 19 + 1;
    a = a * 20 + 1;
    return a;
}
