/* The base knows nothing of what stands on it. */
#include "base/text.h"
#include "crypto/token.h" /* bad */
#include "text.h"         /* bad */
