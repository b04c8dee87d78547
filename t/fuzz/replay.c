
/*
 * Feeds files, and those of folders, to a fuzz target, so that its corpus runs
 * as a plain test under any compiler: TAP, one line for each file.  A target
 * reports what it finds by abort(); the line of the file at fault is then
 * missing and its name is the last one on standard error.
 */


#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* of targets that have to prepare themselves */
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));


static unsigned  ntests, nfailed;


/* an allocation of exactly the file's size, so that a sanitizer sees a byte
 * read behind it */
static int
feed(const char *name)
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


static void
replay(const char *name)
{
    (void) fprintf(stderr, "# %s\n", name);

    if (feed(name) == 0) {
        printf("ok %u - %s\n", ++ntests, name);

    } else {
        printf("not ok %u - %s: cannot be read\n", ++ntests, name);
        nfailed++;
    }

    (void) fflush(stdout);
}


static void
replay_folder(const char *path, DIR *dir)
{
    char            name[4096];
    struct dirent  *entry;

    for (entry = readdir(dir); entry; entry = readdir(dir)) {

        if (entry->d_name[0] != '.') {
            (void) snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
            replay(name);
        }
    }
}


int
main(int argc, char **argv)
{
    int   i;
    DIR  *dir;

    if (LLVMFuzzerInitialize) {
        (void) LLVMFuzzerInitialize(&argc, &argv);
    }

    for (i = 1; i < argc; i++) {
        dir = opendir(argv[i]);

        if (dir) {
            replay_folder(argv[i], dir);
            (void) closedir(dir);

        } else {
            replay(argv[i]);
        }
    }

    printf("1..%u\n", ntests);

    return nfailed || argc < 2;
}
