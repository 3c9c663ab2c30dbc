/* A room that nobody placed. */
#include "base/text.h" /* bad */
