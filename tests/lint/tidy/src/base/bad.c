/* Compiles without a word, and yet the quotient lost its fraction. */
double half(int whole);

double half(int whole)
{
    return (double)(whole / 2) + 1 / 2;
}
