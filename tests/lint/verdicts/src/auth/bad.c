/* A number that is neither DENY nor ALLOW passes here. */
int opens(int verdict)
{
    if (verdict == 1 || verdict != DENY) { /* bad */
        return 1;
    }
    if (DENY == verdict) { /* bad */
        return 0;
    }
    return verdict == ALLOW;
}
