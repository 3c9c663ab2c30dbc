/* Indented by two. */
int format(void)
{
  return 0;
}
