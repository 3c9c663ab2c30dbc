static void opening(void **state)
{
    (void)state;
}

static void opening(void **state) /* bad */
{
    (void)state;
}
