/* Another label, and a way back. */
int jump(int times)
{
    int status = -1;
    if (times < 0) {
        goto fail; /* bad */
    }
    if (times == 1) {
        goto out;
    }
    status = 0;
out:
    times--;
    if (times > 0) {
        goto out; /* bad */
    }
fail:
    return status;
}

int jump_forwards(int times)
{
    if (times == 1) {
        goto out;
    }
    times++;
out:
    return times;
}
