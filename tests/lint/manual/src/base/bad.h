/* A header that leaves the reader alone. */

/* Both of these. */
int told(void);
int told_too(void);

int told_beside(void); /* Here. */

int not_told(void); // bad
