/* A narrowing that a warning of the house must see. */
short narrow(long wide);

short narrow(long wide)
{
    return wide;
}
