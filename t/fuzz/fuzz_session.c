
/*
 * The store of sessions: every four bytes are a step, beside a model.
 *
 * Aims at: session/b24_session.c session/b24_session_data.c
 */


#include "session_model.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t   i;
    model_t  m;

    model_init(&m);

    for (i = 0; i + 4 <= size && i < 4096 && m.wrong == NULL; i += 4) {
        model_step(&m, data + i);
    }

    model_end(&m);

    if (m.wrong) {
        fprintf(stderr, "%s\n", m.wrong);
        abort();
    }

    model_done(&m);

    return 0;
}
