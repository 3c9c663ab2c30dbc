/* The public header is what the library gives to others; the pages need none of it. */
#include "latchkey.h" /* bad */
