
/*
 * How long each operation of the queue takes in queues of a thousand, of 10^5
 * and of a million records, in turns.
 *
 *     queue_million [STATE [ROWS [SECONDS [FOLDER]]]]
 *
 * STATE is that of all records: accepted, waiting, delivered, unconfirmed,
 * parked, unread, links, statuses; "all" (default) is one after the other.
 * What is printed are microseconds, medians of seven turns, and the ratios to
 * the smallest one.  SECONDS (0.03) is the time of one turn.
 */

#include <time.h>

#include "queue_million.h"


#define TURNS  7
#define SIZES  3


static double  seconds = 0.03;


static double
now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static int
compare(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return x < y ? -1 : x > y;
}


/* microseconds of one call */

static double
turn(million_t *m, million_pt call)
{
    int      rc;
    long     n;
    double   start, spent;

    for (n = 0, spent = 0; spent < seconds && n < 200; n++) {
        million_next(m);
        m->pool = b24_pool_create(0);

        start = now();
        rc = call(m);
        spent += now() - start;

        b24_pool_destroy(m->pool);

        if (rc != B24_QUEUE_OK && rc != B24_QUEUE_NONE) {
            fprintf(stderr, "%s: %s\n",
                    b24_queue_strerror((b24_queue_rc_e) rc),
                    b24_queue_message(m->q));
            queue_rmdir(queue_dir);
            exit(1);
        }
    }

    return spent * 1e6 / (double) n;
}


/* memory of this process, KiB */

static long
memory(void)
{
    char   line[128];
    long   kib;
    FILE  *in;

    kib = 0;
    in = fopen("/proc/self/status", "r");

    while (in && fgets(line, sizeof(line), in)) {
        (void) sscanf(line, "VmRSS: %ld", &kib);
    }

    if (in) {
        (void) fclose(in);
    }

    return kib;
}


/* closed, as by a process that ends, then opened by the next one */

static void
bench_start(million_t *m, const char *path)
{
    double  start, opened;

    b24_queue_close(m->q);

    start = now();
    m->q = queue_open(path);
    opened = now();

    million_next(m);
    m->pool = b24_pool_create(0);
    (void) million_recover(m);
    (void) million_counts(m);
    (void) million_claim(m);
    b24_pool_destroy(m->pool);

    printf("%8ld records: opened in %.1f ms, first claim after %.1f ms\n",
           m->rows, (opened - start) * 1e3, (now() - start) * 1e3);
}


static void
bench_set(const million_set_t *set, const long *sizes)
{
    int        k, t;
    long       before;
    char       paths[SIZES][128];
    double     us[SIZES][TURNS], median[SIZES];
    size_t     i;
    million_t  m[SIZES];

    printf("\n%s\n", set->name);
    memset(m, 0, sizeof(m));
    before = memory();

    for (k = 0; k < SIZES; k++) {
        (void) snprintf(paths[k], sizeof(paths[k]), "%.100s/%d.db", queue_dir,
                        k);
        queue_fill(paths[k], sizes[k], set->fill);
        m[k].rows = sizes[k];
        m[k].q = queue_open(paths[k]);
        bench_start(&m[k], paths[k]);
    }

    (void) fflush(stdout);

    for (i = 0; i < MILLION_CALLS; i++) {

        for (t = 0; t < TURNS; t++) {

            for (k = 0; k < SIZES; k++) {
                us[k][t] = turn(&m[k], million_calls[i].call);
            }
        }

        for (k = 0; k < SIZES; k++) {
            qsort(us[k], TURNS, sizeof(double), compare);
            median[k] = us[k][TURNS / 2];
        }

        printf("%-30s %9.1f %9.1f %9.1f us   ratios %.2f %.2f\n",
               million_calls[i].name, median[0], median[1], median[2],
               median[1] / median[0], median[2] / median[0]);
        (void) fflush(stdout);
    }

    printf("memory: %ld KiB more than before, three queues open\n",
           memory() - before);

    for (k = 0; k < SIZES; k++) {
        b24_queue_close(m[k].q);
        (void) unlink(paths[k]);
    }
}


int
main(int argc, char **argv)
{
    size_t       i;
    const char  *state;

    long  sizes[SIZES] = { 1000, 100000, 1000000 };

    state = argc > 1 ? argv[1] : "all";

    if (argc > 2) {
        sizes[SIZES - 1] = strtol(argv[2], NULL, 10);
    }

    if (argc > 3) {
        seconds = strtod(argv[3], NULL);
    }

    if (argc > 4) {
        (void) setenv("TMPDIR", argv[4], 1);
    }

    if (sizes[SIZES - 1] < sizes[0] || seconds <= 0) {
        fprintf(stderr,
                "usage: queue_million [STATE [ROWS [SECONDS [FOLDER]]]]\n");
        return 2;
    }

    (void) queue_mkdir();

    for (i = 0; i < MILLION_SETS; i++) {

        if (strcmp(state, "all") == 0
            || strcmp(state, million_sets[i].name) == 0)
        {
            bench_set(&million_sets[i], sizes);
        }
    }

    queue_rmdir(queue_dir);

    return 0;
}
