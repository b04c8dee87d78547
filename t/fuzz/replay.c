
/*
 * Feeds files to a fuzz target, so that its corpus runs as a plain test under
 * any compiler: TAP, one line for each file.  A target reports what it finds by
 * abort(); the line of the file at fault is then missing and its name is the
 * last one on standard error.
 */


#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* an allocation of exactly the file's size, so that a sanitizer sees a byte
 * read behind it */
static int
replay(const char *name)
{
    int       rc;
    long      size;
    FILE     *f;
    uint8_t  *data;

    f = fopen(name, "rb");
    if (f == NULL) {
        return -1;
    }

    rc = -1;
    data = NULL;

    if (fseek(f, 0, SEEK_END) != 0) {
        goto done;
    }

    size = ftell(f);

    if (size < 0 || fseek(f, 0, SEEK_SET) != 0) {
        goto done;
    }

    data = malloc(size ? (size_t) size : 1);

    if (data == NULL || fread(data, 1, (size_t) size, f) != (size_t) size) {
        goto done;
    }

    (void) LLVMFuzzerTestOneInput(data, (size_t) size);
    rc = 0;

done:

    free(data);
    (void) fclose(f);

    return rc;
}


int
main(int argc, char **argv)
{
    int  i, failed;

    failed = 0;

    for (i = 1; i < argc; i++) {
        (void) fprintf(stderr, "# %s\n", argv[i]);

        if (replay(argv[i]) == 0) {
            printf("ok %d - %s\n", i, argv[i]);

        } else {
            printf("not ok %d - %s: cannot be read\n", i, argv[i]);
            failed = 1;
        }

        (void) fflush(stdout);
    }

    printf("1..%d\n", argc - 1);

    return failed || argc < 2;
}
