/* Patterns over digits, parsed to steps and walked. */
#include "patterns.h"

enum { SET, SPLIT, JUMP, MARK, LAST, END, ANYWHERE }; /* LAST: nothing may be left there; MARK: the group begins */

#define MOST_OPEN 256
#define NOTHING_LEFT (1u << 10) /* beside the ten digits */
#define NO_DIGIT (1u << 11)
#define ANYTHING (2 * NO_DIGIT - 1)

typedef struct {
    const u8 *at, *end;
    Step *steps;
    i64 count;
    int groups, wanted; /* so many have begun; the one to be marked */
    int bad;
} Pattern;

static void add(Pattern *pattern, Step step) {
    if (pattern->count == MOST_STEPS - 1) /* one is left for the end */
        pattern->bad = 1;
    else
        pattern->steps[pattern->count++] = step;
}

static void insert(Pattern *pattern, i64 at, Step step) {
    add(pattern, step);
    if (pattern->bad) return;
    memmove(pattern->steps + at + 1, pattern->steps + at, (size_t)(pattern->count - 1 - at) * sizeof(Step));
    pattern->steps[at] = step;
}

static void repeat(Pattern *pattern, i64 from, i64 size) {
    if (pattern->count + size >= MOST_STEPS) {
        pattern->bad = 1;
        return;
    }
    memcpy(pattern->steps + pattern->count, pattern->steps + from, (size_t)size * sizeof(Step));
    pattern->count += size;
}

static int next_is(Pattern *pattern, int byte) {
    if (pattern->at == pattern->end || *pattern->at != byte) return 0;
    pattern->at++;
    return 1;
}

static int number(Pattern *pattern) {
    int found = 0, digits = 0;
    for (; pattern->at < pattern->end && is_digit(*pattern->at) && digits < 3; digits++)
        found = 10 * found + *pattern->at++ - '0';
    if (!digits) pattern->bad = 1;
    return found;
}

static u16 set_of_digits(Pattern *pattern) {
    u16 digits = 0;
    while (!pattern->bad && !next_is(pattern, ']')) {
        if (next_is(pattern, '\\')) {
            if (!next_is(pattern, 'd')) pattern->bad = 1;
            digits = 1023;
            continue;
        }
        if (pattern->at == pattern->end || !is_digit(*pattern->at)) {
            pattern->bad = 1;
            break;
        }
        int low = *pattern->at++ - '0', high = low;
        if (next_is(pattern, '-')) {
            if (pattern->at == pattern->end || !is_digit(*pattern->at)) {
                pattern->bad = 1;
                break;
            }
            high = *pattern->at++ - '0';
        }
        for (int digit = low; digit <= high; digit++) digits |= (u16)(1 << digit);
    }
    return digits;
}

static void alternatives(Pattern *pattern, int depth);

/* A set or a group, and how often it is there. */
static void piece(Pattern *pattern, int depth) {
    i64 begin = pattern->count;
    int single = 1;
    if (next_is(pattern, '$')) {
        add(pattern, (Step){LAST, 0, 0, 0, 0});
        return;
    }
    if (next_is(pattern, '\\')) {
        if (!next_is(pattern, 'd')) pattern->bad = 1;
        add(pattern, (Step){SET, 1023, 0, 0, 0});
    } else if (next_is(pattern, '[')) {
        add(pattern, (Step){SET, set_of_digits(pattern), 0, 0, 0});
    } else if (next_is(pattern, '(')) {
        single = 0;
        if (!next_is(pattern, '?')) {
            if (++pattern->groups == pattern->wanted) add(pattern, (Step){MARK, 0, 0, 0, 0});
        } else if (!next_is(pattern, ':')) {
            pattern->bad = 1;
        }
        alternatives(pattern, depth + 1);
        if (!next_is(pattern, ')')) pattern->bad = 1;
    } else if (pattern->at < pattern->end && is_digit(*pattern->at)) {
        add(pattern, (Step){SET, (u16)(1 << (*pattern->at++ - '0')), 0, 0, 0});
    } else {
        pattern->bad = 1;
    }
    i64 size = pattern->count - begin;
    int least = 1, most = 1, endless = 0;
    if (next_is(pattern, '?')) {
        least = 0;
    } else if (next_is(pattern, '*')) {
        least = 0, endless = 1;
    } else if (next_is(pattern, '+')) {
        endless = 1;
    } else if (next_is(pattern, '{')) {
        least = most = number(pattern);
        if (next_is(pattern, ',')) {
            endless = pattern->at < pattern->end && *pattern->at == '}';
            if (!endless) most = number(pattern);
        }
        if (!next_is(pattern, '}') || most < least || !most) pattern->bad = 1;
    }
    /* how greedy, or twice counted: not known here */
    if (pattern->at < pattern->end && (*pattern->at == '?' || *pattern->at == '*' || *pattern->at == '+' ||
                                       *pattern->at == '{'))
        pattern->bad = 1;
    if (pattern->bad || (endless && !single)) {
        pattern->bad = 1;
        return;
    }
    for (int k = 1; k < least; k++) repeat(pattern, begin, size);
    if (endless) {
        if (least) repeat(pattern, begin, 1);
        insert(pattern, pattern->count - 1, (Step){SPLIT, 0, 0, 1, 3});
        add(pattern, (Step){JUMP, 0, 0, -2, 0});
        return;
    }
    if (least == most) return;
    i64 optional = most - least, from;
    if (least) {
        from = begin;
    } else { /* the first is optional, too */
        insert(pattern, begin, (Step){SPLIT, 0, 0, 1, (i32)(optional * (size + 1))});
        from = begin + 1, optional--;
    }
    for (; optional > 0 && !pattern->bad; optional--) {
        add(pattern, (Step){SPLIT, 0, 0, 1, (i32)(optional * (size + 1))});
        repeat(pattern, from, size);
    }
}

static void alternatives(Pattern *pattern, int depth) {
    i64 open = -1; /* the last jump to the end; each says where the one before it is */
    if (depth > 32) pattern->bad = 1;
    while (!pattern->bad) {
        i64 begin = pattern->count;
        while (!pattern->bad && pattern->at < pattern->end && *pattern->at != '|' && *pattern->at != ')')
            piece(pattern, depth);
        if (pattern->bad || !next_is(pattern, '|')) break;
        insert(pattern, begin, (Step){SPLIT, 0, 0, 1, (i32)(pattern->count - begin + 2)});
        add(pattern, (Step){JUMP, 0, 0, (i32)open, 0});
        open = pattern->count - 1;
    }
    while (!pattern->bad && open >= 0) {
        i64 before = pattern->steps[open].one;
        pattern->steps[open].one = (i32)(pattern->count - open);
        open = before;
    }
}

i64 steps_of(const u8 *text, i64 size, int whole, int wanted, Step *steps) {
    Pattern pattern = {text, text + size, steps, 0, 0, wanted, 0};
    alternatives(&pattern, 0);
    if (pattern.bad || pattern.at != pattern.end) return 0;
    steps[pattern.count] = (Step){whole ? END : ANYWHERE, 0, 0, 0, 0};
    for (i64 k = pattern.count; k >= 0; k--) {
        Step *step = steps + k;
        switch (step->kind) {
            case SET: step->first = step->digits; break;
            case MARK: step->first = step[1].first; break;
            case JUMP: step->first = step->one > 0 ? step[step->one].first : ANYTHING; break;
            case SPLIT: step->first = step[step->one].first | step[step->other].first; break;
            case LAST:
            case END: step->first = NOTHING_LEFT; break;
            default: step->first = ANYTHING;
        }
    }
    return pattern.count + 1;
}

i64 led_through(const Step *step, const u8 *text, i64 size, int *marked) {
    struct {
        const Step *step;
        i32 at, marked;
    } open[MOST_OPEN];
    i64 at = 0, held = 0;
    int mark = 0;
    for (;;) {
        u32 next = NOTHING_LEFT;
        if (at < size) next = is_digit(text[at]) ? 1u << (text[at] - '0') : NO_DIGIT;
        if (!(step->first & next)) {
            if (!held) return NO_WAY;
            step = open[--held].step, at = open[held].at, mark = open[held].marked;
            continue;
        }
        switch (step->kind) {
            case SET: step++, at++; break;
            case MARK: step++, mark = 1; break;
            case LAST: step++; break;
            case JUMP: step += step->one; break;
            case SPLIT:
                if (step[step->other].first & next) {
                    if (held == MOST_OPEN) return TOO_MANY_WAYS;
                    open[held].step = step + step->other, open[held].at = (i32)at, open[held++].marked = mark;
                }
                step += step->one;
                break;
            default: *marked = mark; return at;
        }
    }
}

/* Which texts a pattern matches: from their beginning, `whole` to their end. -3 where the pattern is not known. */
KERNEL i64 matching(ArrowArrayStream *stream, i64 count, const u8 *pattern, i64 size, i64 whole, u8 *out) {
    Step *steps = malloc(MOST_STEPS * sizeof(Step));
    if (!steps) return -1;
    Texts texts;
    int opened = open_texts(stream, count, &texts), marked;
    if (!opened && !steps_of(pattern, size, (int)whole, 0, steps)) opened = -3;
    for (i64 v = 0; !opened && v < count; v++) {
        Text text = text_at(&texts, v);
        i64 found = led_through(steps, text.at, text.size, &marked);
        if (found == TOO_MANY_WAYS) opened = -3;
        out[v] = found >= 0;
    }
    close_texts(&texts);
    free(steps);
    return opened;
}
