/* main.c - runs every suite, or the one that CK_RUN_SUITE names. */
#include <stdlib.h>

#include "tests/suites.h"

int main(void)
{
#define MAKE(name) name##_suite,
    Suite *(*const suites[])(void) = { SUITES(MAKE) };
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < COUNT_OF(suites); i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
