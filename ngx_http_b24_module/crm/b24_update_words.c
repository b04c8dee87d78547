
/* What came of a later change of an order, for a person. */


#include "b24_crm_int.h"


static void b24_words_total(b24_buf_t *buf, const b24_crm_update_t *update);
static void b24_words_rows(b24_buf_t *buf, const b24_crm_update_t *update);
static void b24_words_next(b24_buf_t *buf);
static void b24_words_amount(b24_buf_t *buf, const b24_str_t *amount,
    const b24_str_t *currency);


void
b24_crm_update_words(b24_buf_t *buf, const b24_crm_update_t *update,
    const char **advice)
{
    char       diff[B24_DECIMAL_LEN];
    b24_str_t  none = b24_null_string;

    if (update->left) {
        b24_words_next(buf);
        b24_buf_adds(buf, "the deal is closed at \"");
        b24_buf_addstr(buf, &update->deal.stage);
        b24_buf_adds(buf, "\": what was changed in the shop was left out");

        if (update->total) {
            b24_buf_adds(buf, ", the order's total is ");
            b24_words_amount(buf, &update->amount, &update->currency);
            b24_buf_adds(buf, " there, the deal's is ");
            b24_words_amount(buf, &update->deal.amount, &none);
        }

        *advice = "look at the deal and at the order in the shop";
        return;
    }

    if (update->total) {
        b24_words_total(buf, update);
    }

    if (update->rows) {
        b24_words_rows(buf, update);
    }

    if (update->edited_total || update->edited_rows) {
        *advice = "somebody, or a robot, had changed the deal in the CRM: if "
                  "that was meant, enter it in the shop, and the deal follows";
    }

    if (update->goodless) {
        b24_words_next(buf);
        b24_buf_adds(buf, "what the shop's database has of the order's goods "
                          "makes no product rows: the deal's were left as "
                          "they are");
        *advice = "look at the deal and at the order in the shop";
    }

    if (update->rows && update->diff.units) {
        (void) b24_decimal_print(&update->diff, 2, diff);

        b24_words_next(buf);
        b24_buf_adds(buf, "the product rows differ from the shop's total by ");
        b24_buf_adds(buf, diff);

        *advice = "compare the deal's rows with the order in the shop";
    }
}


static void
b24_words_total(b24_buf_t *buf, const b24_crm_update_t *update)
{
    b24_words_next(buf);

    if (update->taken.len) {
        b24_buf_adds(buf, "the portal did not take the total ");
        b24_words_amount(buf, &update->amount, &update->currency);
        b24_buf_adds(buf, ", the deal has ");
        b24_words_amount(buf, &update->taken, &update->deal.currency);
        return;
    }

    if (!update->set_total) {
        b24_buf_adds(buf, "the deal's total was ");
        b24_words_amount(buf, &update->amount, &update->currency);
        b24_buf_adds(buf, " already");
        return;
    }

    if (!update->edited_total) {
        b24_buf_adds(buf, "the deal's total is ");
        b24_words_amount(buf, &update->amount, &update->currency);
        b24_buf_adds(buf, " now, as in the shop");
        return;
    }

    b24_buf_adds(buf, "the deal's total had been changed in the CRM to ");
    b24_words_amount(buf, &update->deal.amount, &update->deal.currency);

    if (update->deal.summed) {
        b24_buf_adds(buf, ", the sum of its rows");
    }

    b24_buf_adds(buf, ": it is ");
    b24_words_amount(buf, &update->amount, &update->currency);
    b24_buf_adds(buf, " now, as in the shop");
}


static void
b24_words_rows(b24_buf_t *buf, const b24_crm_update_t *update)
{
    char       sum[B24_DECIMAL_LEN];
    b24_str_t  held, none = b24_null_string;

    b24_words_next(buf);

    if (!update->set_rows) {
        b24_buf_adds(buf, "its product rows were those of the shop already");
        return;
    }

    if (!update->edited_rows) {
        b24_buf_adds(buf, "its product rows are those of the shop now");
        return;
    }

    held.data = (u_char *) sum;
    held.len = b24_decimal_print(&update->held, 2, sum);

    b24_buf_adds(buf, "its product rows had been changed in the CRM, to ");
    b24_buf_addi(buf, (int64_t) update->nheld);
    b24_buf_adds(buf, update->nheld == 1 ? " row of " : " rows of ");
    b24_words_amount(buf, &held, &none);
    b24_buf_adds(buf, ": they are those of the shop now");
}


static void
b24_words_next(b24_buf_t *buf)
{
    if (buf->len) {
        b24_buf_adds(buf, "; ");
    }
}


/* "1234567.00" as people write it: "1 234 567.00 RUB" */

static void
b24_words_amount(b24_buf_t *buf, const b24_str_t *amount,
    const b24_str_t *currency)
{
    size_t   i;
    ssize_t  dot;

    dot = b24_str_find(amount, 0, ".");

    if (dot < 0) {
        dot = (ssize_t) amount->len;
    }

    for (i = 0; i < amount->len; i++) {

        if (i && i < (size_t) dot && ((size_t) dot - i) % 3 == 0
            && amount->data[i - 1] != '-')
        {
            b24_buf_addc(buf, ' ');
        }

        b24_buf_addc(buf, amount->data[i]);
    }

    if (currency->len) {
        b24_buf_addc(buf, ' ');
        b24_buf_addstr(buf, currency);
    }
}
