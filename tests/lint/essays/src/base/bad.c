#include "base/text.h"

/* Too late. */
