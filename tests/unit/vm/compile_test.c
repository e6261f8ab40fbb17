#include "fixture.h"

#include "vm/compile.h"

#define A                                                                      \
    "local core = require 'moonlet.core'\n"                                    \
    "return { f = function()\n  error 'inside' end, note = core.note }"
#define B "\nlocal = 1"

static const struct vm_source texts[] = {
    {"moonlet.a", A, sizeof A - 1},
    {"moonlet.b", B, sizeof B - 1},
    {"moonlet.empty", "", 0},
    {0},
};

/* What a script that uses the library tells, from these rows. */
static char *told_by(const struct vm_source *rows)
{
    struct site s;
    site_open(&s);
    s.modules[1] = (struct vm_module){"moonlet.core", probe_open};
    s.host.library = rows;
    site_load(&s, "local a = require 'moonlet.a'\n"
                  "t.note(pcall(a.f)) a.note('noted')\n"
                  "t.note(require 'moonlet.empty')\n"
                  "t.note(pcall(require, 'moonlet.b'))\n"
                  "t.note(pcall(require, 'moonlet.core'))");
    char *notes = mem_strdup(site_notes(&s));
    site_close(&s);
    return notes;
}

static void bytecode_does_what_its_text_does(void **state)
{
    struct vm_source *compiled = vm_compile(texts);
    (void)state;
    char *by_text = told_by(texts), *by_code = told_by(compiled);
    assert_non_null(strstr(by_code, "[moonlet.a]:3: inside;noted;true;"));
    assert_non_null(strstr(by_code, "[moonlet.b]:2: "));
    assert_string_equal(by_code, by_text);
    assert_string_equal(vm_source_mode(&texts[0]), "t");
    assert_string_equal(vm_source_mode(&texts[2]), "t");
    assert_string_equal(vm_source_mode(&compiled[0]), "b");
    assert_string_equal(vm_source_mode(&compiled[1]), "t");
    assert_null(compiled[3].name);
    free(by_text);
    free(by_code);
    free(compiled);
}

static void nothing_compiles_to_nothing(void **state)
{
    struct vm_source *compiled = vm_compile(&texts[3]);
    (void)state;
    assert_null(compiled[0].name);
    free(compiled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytecode_does_what_its_text_does),
        cmocka_unit_test(nothing_compiles_to_nothing),
    };
    return FIXTURE_RUN(tests);
}
