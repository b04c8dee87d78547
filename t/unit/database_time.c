
/* How long ago a row of a shop's database has changed. */


#include "tap.h"
#include "b24_database.h"


static int64_t  zone;


static void
age(const char *changed, int64_t most, int64_t want, const char *name)
{
    b24_str_t             text = str(changed);
    b24_database_clock_t  clock;

    memset(&clock, 0, sizeof(clock));

    clock.now = str("2026-11-23 12:00:00");
    clock.seconds = str("1795521600");

    is_int(b24_database_age(&clock, &text, most, &zone), want, name);
}


static void
test_age(void)
{
    zone = 0;

    age("2026-11-23 12:00:00", 10, 0, "now");
    age("2026-11-23 11:59:57", 10, 3, "a moment ago");
    age("2026-11-23T11:59:57", 10, 3, "with a T");
    age("2026-11-23 11:59:57.250", 10, 3, "with a fraction");
    age("2026-11-23 12:00:02", 10, 0, "after the look at the clock");
    age("2026-11-23 11:59:49", 10, 10, "it would have been seen");
    age("2026-11-22 23:59:00", 100000, 43260, "after a long time");
    is_int(zone, 0, "there is no zone");

    age("1795521590", 60, 10, "in seconds");
    age("1795521690", 60, 0, "in seconds, to come");
    age("1795521000", 60, 60, "in seconds, too old");
    age("4711", 60, 0, "a number of something else");
    age("179552159x", 60, 0, "no number");
    age("yesterday, at noon, or so", 60, 0, "no time");
    age("2026-11-23", 60, 0, "a day");
    age("", 60, 0, "nothing");
}


/* more digits than a number has room for */
static void
test_digits(void)
{
    b24_str_t             text = str("99999999999999999999");
    int64_t               zero = 0;
    b24_database_clock_t  clock;

    memset(&clock, 0, sizeof(clock));
    clock.seconds = str("17955216001795521600");

    is_int(b24_database_age(&clock, &text, 60, &zero), 0, "twenty digits");
}


static void
test_zones(void)
{
    zone = 0;

    /* Moscow's shop at a server with UTC, and the other way round */

    age("2026-11-23 14:59:57", 10, 3, "three hours ahead");
    is_int(zone, -10800, "the zone");
    age("2026-11-23 14:40:00", 3600, 1200, "it is known after a long time");
    age("2026-11-23 08:59:55", 10, 5, "three hours behind");
    is_int(zone, 10800, "another zone");
    age("2026-11-23 17:44:58", 10, 2, "Nepal");
    is_int(zone, -20700, "has quarters");
    age("2026-11-23 11:59:58", 10, 2, "none");
    is_int(zone, 0, "again");
    age("2026-11-23 15:00:01", 10, 0, "after the look at the clock");
    is_int(zone, -10800, "in its zone");

    /* nobody knows: not more than a quarter */

    zone = 0;
    age("2026-11-23 11:50:00", 899, 600, "the first look");
    age("2026-11-23 08:50:00", 899, 600, "the first look, from a zone");
    zone = 0;
    age("2026-11-23 14:50:00", 3600, 0, "never before now");
    is_int(zone, 0, "nothing is learned of it");
}


int
main(void)
{
    int64_t  seconds;

    test_age();
    test_digits();
    test_zones();

    is_int(b24_database_time(&(b24_str_t) b24_string("2023-11-14 22:13:20"), &seconds), B24_OK, "a time");
    is_int(seconds, 1700000000, "its seconds");
    is_int(b24_database_time(&(b24_str_t) b24_string("0000-00-00"), &seconds), B24_DECLINED, "none");

    return done_testing();
}
