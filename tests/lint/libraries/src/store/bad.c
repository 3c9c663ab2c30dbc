/* Every library outside of its home. */
#include <crypt.h>      /* bad */
#include <fcgiapp.h>    /* bad */
#include <ini.h>        /* bad */
#include <nettle/gcm.h> /* bad */
#include <sodium.h>     /* bad */
#include <sqlite3.h>    /* bad */
#include <string.h>
#include <zxcvbn.h>     /* bad */
