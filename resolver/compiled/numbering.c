/* Numbering plans: what numbers are by their patterns. */
#include "patterns.h"

/* The patterns of a plan, in their order; empty ones are not there. */
enum { GENERAL, TYPES, LEADING, PREFIX, ABROAD, PATTERNS };

#define CODES 1000

/* Plans with the number of their calling code and the group of their prefix that has it rewritten (0: none); which
   of them are those of a code, the main region's first; which regions are tried in which turn, as plans (-1: none). */
typedef struct {
    const u8 *bytes;
    const i64 *ends; /* PATTERNS for each plan */
    i64 plans;
    const i32 *codes, *rewriting;
    const i32 *of_code; /* CODES + 1 begins */
    const i32 *tried, *tried_ends;
    Step **compiled;
    int fault;
} Plans;

static i64 led(Plans *plans, i64 plan, int which, Text digits, int *marked) {
    i64 slot = plan * PATTERNS + which, begin = plans->ends[slot], size = plans->ends[slot + 1] - begin;
    if (!plans->compiled[slot]) {
        Step *room = malloc(MOST_STEPS * sizeof(Step));
        int whole = which == GENERAL || which == TYPES;
        i64 steps = room ? steps_of(plans->bytes + begin, size, whole, which == PREFIX ? plans->rewriting[plan] : 0, room) : 0;
        if (!steps) plans->fault = room ? -3 : -1;
        Step *held = steps ? realloc(room, (size_t)steps * sizeof(Step)) : 0;
        plans->compiled[slot] = held ? held : room;
    }
    if (plans->fault) return NO_WAY;
    i64 found = led_through(plans->compiled[slot], digits.at, digits.size, marked);
    if (found == TOO_MANY_WAYS) plans->fault = -3;
    return found;
}

static int has(const Plans *plans, i64 plan, int which) {
    return plans->ends[plan * PATTERNS + which + 1] > plans->ends[plan * PATTERNS + which];
}

static int matches(Plans *plans, i64 plan, int which, Text digits) {
    int marked;
    return led(plans, plan, which, digits, &marked) >= 0;
}

/* Whether a national number is valid in the first plan of the calling code that claims it. */
static int valid(Plans *plans, i64 code, Text national) {
    for (i64 plan = plans->of_code[code]; plan < plans->of_code[code + 1]; plan++) {
        int leading = has(plans, plan, LEADING);
        if (matches(plans, plan, leading ? LEADING : TYPES, national))
            return !leading || matches(plans, plan, TYPES, national);
    }
    return 0;
}

/* The digits without national prefix; whether the parser would rewrite them. */
static Text without_prefix(Plans *plans, i64 plan, Text digits, int *rewritten) {
    int marked = 0;
    i64 size = has(plans, plan, PREFIX) ? led(plans, plan, PREFIX, digits, &marked) : NO_WAY;
    *rewritten = size >= 0 && marked;
    if (size <= 0) return digits;
    Text after = {digits.at + size, digits.size - size};
    int worse = matches(plans, plan, GENERAL, digits) && !matches(plans, plan, GENERAL, after);
    return worse ? digits : after;
}

static int begins_with_code(Text digits, i64 code, i64 *size) {
    u8 written[4];
    i64 length = 0;
    for (i64 part = 100; part; part /= 10)
        if (code >= part) written[length++] = (u8)('0' + code / part % 10);
    *size = length;
    return digits.size >= length && !memcmp(digits.at, written, (size_t)length);
}

enum { NOT_VALID, VALID, UNDECIDED };

/* As decide in phone_patterns.py. */
static int judged(Plans *plans, i64 plan, Text digits, int abroad, Text *national) {
    i64 code = plans->codes[plan], written;
    *national = digits;
    if (!abroad && code == 1) {
        int two = digits.size > 1 ? digits.at[1] : 0, one = digits.size ? digits.at[0] : 0;
        if (one == '0' || (one == '1' && (digits.size == 1 || two == '0' || two == '1' || (two == '3' && digits.size == 8))))
            return UNDECIDED;
        if (digits.size == 11 && one == '1' && two >= '2') *national = (Text){digits.at + 1, 10};
        return valid(plans, code, *national);
    }
    int unclear, good;
    *national = without_prefix(plans, plan, digits, &unclear);
    good = valid(plans, code, *national);
    if (!good && national->size != digits.size) unclear |= valid(plans, code, digits);
    if (!abroad) {
        if (begins_with_code(digits, code, &written) && !matches(plans, plan, GENERAL, digits)) {
            int rest_unclear;
            Text rest = without_prefix(plans, plan, (Text){digits.at + written, digits.size - written}, &rest_unclear);
            int rest_good = valid(plans, code, rest);
            rest_unclear |= rest_good && !matches(plans, plan, GENERAL, rest);
            unclear |= rest_unclear || good;
            *national = rest, good = rest_good;
        }
        if (has(plans, plan, ABROAD)) unclear |= matches(plans, plan, ABROAD, digits);
    }
    return unclear ? UNDECIDED : good;
}

/* The calling code that digits begin with, 0 where there is none; how many digits it has. */
static i64 calling_code(const u8 *known, Text digits, i64 *size) {
    i64 code = 0;
    for (*size = 0; *size < 3 && *size < digits.size && is_digit(digits.at[*size]);) {
        code = 10 * code + digits.at[(*size)++] - '0';
        if (code && known[code]) return code;
    }
    return 0;
}

#define FEWEST_DIGITS 7
#define MOST_DIGITS 15
#define NATIONAL_DIGITS 10

static int all_digits(Text text) {
    for (i64 k = 0; k < text.size; k++)
        if (!is_digit(text.at[k])) return 0;
    return 1;
}

/* The part of a text behind a plus, and whether there was one. */
static Text behind_plus(Text text, int *plus) {
    *plus = text.size > 0 && text.at[0] == '+';
    return *plus ? (Text){text.at + 1, text.size - 1} : text;
}

#define ROOM 32 /* more than a number takes */

/* A text without punctuation, 00 as plus: see _compact in phones.py; as much of it as there is room for. */
static Text compact(Text text, u8 *room) {
    i64 held = 0;
    for (i64 k = 0; k < text.size && held < ROOM; k++) {
        u8 byte = text.at[k];
        switch (byte) {
            case ' ': case '-': case '.': case '(': case ')': case '/': continue;
            case 0xc2:
                if (k + 1 < text.size && text.at[k + 1] == 0xa0) {
                    k++;
                    continue;
                }
        }
        room[held++] = byte;
    }
    if (held < 2 || room[0] != '0' || room[1] != '0') return (Text){room, held};
    room[1] = '+';
    return (Text){room + 1, held - 1};
}

/* Whether a text holds what every way to write an extension holds: see _MAY_EXTEND in phones.py. */
static int may_extend(Text text) {
    for (i64 k = 0; k < text.size; k++) switch (text.at[k]) {
            case '#': case 'x': case 'X': case 'd': case 'D': case 'p': case 'P': return 1;
        }
    return 0;
}

/* How many plain numbers with a plus have each calling code (of those `known`). */
KERNEL i64 codes_called(ArrowArrayStream *stream, i64 count, const u8 *known, i64 *times) {
    OPENED(stream, count)
    for (i64 v = 0; v < count; v++) {
        int plus;
        i64 size;
        u8 room[ROOM];
        Text digits = behind_plus(compact(text_at(&texts, v), room), &plus);
        if (plus && digits.size >= FEWEST_DIGITS && digits.size <= MOST_DIGITS && all_digits(digits))
            times[calling_code(known, digits, &size)]++;
    }
    close_texts(&texts);
    return 0;
}

static Text last_digits(Text text) {
    i64 cut = text.size > NATIONAL_DIGITS ? text.size - NATIONAL_DIGITS : 0;
    return (Text){text.at + cut, text.size - cut};
}

static int write_number(Plans *plans, const u8 *known, Text text, i64 trying, Builder *builder) {
    int plus, verdict = NOT_VALID;
    i64 size, plan = -1;
    Text digits = behind_plus(text, &plus), national = digits;
    if (digits.size > MOST_DIGITS || !all_digits(digits)) return 0;
    if (digits.size < FEWEST_DIGITS) return 1;
    if (plus) {
        i64 code = calling_code(known, digits, &size);
        if (code) {
            plan = plans->of_code[code];
            if (plan == plans->of_code[code + 1]) return 0;
            verdict = judged(plans, plan, (Text){digits.at + size, digits.size - size}, 1, &national);
        }
    }
    for (i64 turn = plans->tried_ends[trying]; !plus && verdict == NOT_VALID && turn < plans->tried_ends[trying + 1]; turn++) {
        plan = plans->tried[turn];
        if (plan >= 0) verdict = judged(plans, plan, digits, 0, &national);
    }
    if (verdict == UNDECIDED) return 0;
    if (verdict == NOT_VALID) {
        append(builder, last_digits(digits));
        return 1;
    }
    put(builder, '+');
    for (i64 part = 100; part; part /= 10)
        if (plans->codes[plan] >= part) put(builder, (u8)('0' + plans->codes[plan] / part % 10));
    append(builder, national);
    return 1;
}

/* What phonenumbers makes of texts, as far as patterns tell: numbers, which of them are decided, and which may have an
   extension. The regions of `trying` are tried for each: see _numbers in phones.py. -3 where a pattern is not known. */
KERNEL i64 numbers_of(ArrowArrayStream *stream, i64 count, const u8 *known, const u32 *trying, const u8 *bytes,
                      const i64 *ends, i64 plan_count, const i32 *codes, const i32 *rewriting, const i32 *of_code,
                      const i32 *tried, const i32 *tried_ends, u8 *decided, u8 *extending, ArrowSchema *schema, ArrowArray *array) {
    OPENED(stream, count)
    Builder builder;
    Plans plans = {bytes, ends, plan_count, codes, rewriting, of_code, tried, tried_ends, 0, 0};
    plans.compiled = calloc((size_t)(plan_count * PATTERNS + 1), sizeof(Step *));
    if (!plans.compiled || begin_texts(&builder, count, all_bytes(&texts) + 4 * count)) {
        free(plans.compiled);
        close_texts(&texts);
        return -1;
    }
    for (i64 v = 0; v < count && !plans.fault; v++) {
        u8 room[ROOM];
        Text text = text_at(&texts, v);
        decided[v] = (u8)write_number(&plans, known, compact(text, room), trying[v], &builder);
        extending[v] = !decided[v] && may_extend(text);
        end_text(&builder);
    }
    for (i64 slot = 0; slot < plan_count * PATTERNS; slot++) free(plans.compiled[slot]);
    free(plans.compiled);
    close_texts(&texts);
    if (!plans.fault) return hand_over(&builder, schema, array);
    drop_texts(&builder);
    return plans.fault;
}

/* The last ten digits of numbers without their calling code, and which of those are of one or two different digits. */
KERNEL i64 nationals(ArrowArrayStream *stream, i64 count, const u8 *known, u8 *monotonous, ArrowSchema *schema,
                     ArrowArray *array) {
    OPENED_TO_MAKE(stream, count, builder)
    for (i64 v = 0; v < count; v++) {
        int plus;
        i64 size;
        Text text = text_at(&texts, v), digits = behind_plus(text, &plus);
        if (plus && calling_code(known, digits, &size)) text = (Text){digits.at + size, digits.size - size};
        text = last_digits(text);
        u32 seen = 0; /* each digit as a bit; what is none, as three */
        for (i64 k = 0; k < text.size; k++) seen |= is_digit(text.at[k]) ? 1u << (text.at[k] - '0') : 7u << 10;
        monotonous[v] = text.size > 0 && __builtin_popcount(seen) <= 2;
        append(&builder, text);
        end_text(&builder);
    }
    close_texts(&texts);
    return hand_over(&builder, schema, array);
}
