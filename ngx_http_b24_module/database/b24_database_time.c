
/* Times that a shop's tables tell, against the clock of its database. */


#include <stdio.h>
#include <time.h>

#include "b24_database.h"


#define B24_DATABASE_ZONE   900     /* s; zones differ by whole quarters */
#define B24_DATABASE_SLACK  2       /* s between a clock's look and a row's */
#define B24_DATABASE_DIGITS 12      /* of a time in seconds */


static int b24_database_seconds(const b24_str_t *text, int64_t *seconds);


int
b24_database_time(const b24_str_t *text, int64_t *seconds)
{
    char       buf[64];
    struct tm  tm;

    if (text->len < 19 || text->len >= sizeof(buf)) {
        return B24_DECLINED;
    }

    memcpy(buf, text->data, text->len);
    buf[text->len] = '\0';

    memset(&tm, 0, sizeof(struct tm));

    if (sscanf(buf, "%4d-%2d-%2d%*1[ T]%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon,
               &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec)
        != 6)
    {
        return B24_DECLINED;
    }

    tm.tm_year -= 1900;
    tm.tm_mon--;

    *seconds = (int64_t) timegm(&tm);

    return B24_OK;
}


static int
b24_database_seconds(const b24_str_t *text, int64_t *seconds)
{
    size_t  i;

    *seconds = 0;

    if (text->len > B24_DATABASE_DIGITS) {
        return B24_DECLINED;
    }

    for (i = 0; i < text->len; i++) {

        if (!b24_isdigit(text->data[i])) {
            return B24_DECLINED;
        }

        *seconds = *seconds * 10 + (text->data[i] - '0');
    }

    return B24_OK;
}


int64_t
b24_database_age(const b24_database_clock_t *clock, const b24_str_t *changed,
    int64_t most, int64_t *zone)
{
    int64_t  age, raw, now, then;

    if (changed->len == clock->seconds.len
        && b24_database_seconds(changed, &then) == B24_OK
        && b24_database_seconds(&clock->seconds, &now) == B24_OK)
    {
        /* no zone */

        age = now - then;

    } else if (b24_database_time(changed, &then) == B24_OK
               && b24_database_time(&clock->now, &now) == B24_OK)
    {
        raw = now - then;
        age = raw - *zone;

        if (most < B24_DATABASE_ZONE
            && (age < -B24_DATABASE_SLACK || age > most + B24_DATABASE_SLACK))
        {
            age = (raw % B24_DATABASE_ZONE + B24_DATABASE_ZONE)
                  % B24_DATABASE_ZONE;

            if (age > most + B24_DATABASE_SLACK) {
                age -= B24_DATABASE_ZONE;
            }

            *zone = raw - age;
        }

    } else {
        return 0;
    }

    return age < 0 ? 0 : age > most ? most : age;
}
