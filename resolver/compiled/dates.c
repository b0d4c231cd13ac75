/* Dates in the usual notations: see cleaned_dates in dates.py, whose patterns these are. */
#include "texts.h"

#define LONGEST 40
#define CENTURY_TURN 30
#define LAST_MONTH 12

static const char SEPARATORS[] = "-/. "; /* in the order of `day_first` */

/* A text that is read from its beginning: what was read of it is skipped. */
typedef struct {
    const u8 *at, *end;
} Rest;

static int is_one_of(u8 byte, const char *set) { return byte && strchr(set, byte) != 0; }

/* From `least` to `most` digits as a number, -1 where there are fewer, or another one behind them. */
static int number(Rest *rest, int least, int most, int *digits) {
    int found = 0, held = 0;
    while (rest->at < rest->end && is_digit(*rest->at) && held < most) found = 10 * found + *rest->at++ - '0', held++;
    if (held < least || (rest->at < rest->end && is_digit(*rest->at))) return -1;
    if (digits) *digits = held;
    return found;
}

/* Separators, one at least. */
static int separated(Rest *rest, const char *set) {
    const u8 *begin = rest->at;
    while (rest->at < rest->end && is_one_of(*rest->at, set)) rest->at++;
    return rest->at > begin;
}

/* A year of four digits, or two, at the end. */
static int year_at_end(Rest *rest) {
    int digits, year = number(rest, 2, 4, &digits);
    if (year < 0 || digits == 3 || rest->at != rest->end) return -1;
    return digits == 2 ? year + (year < CENTURY_TURN ? 2000 : 1900) : year;
}

static void ordinal(Rest *rest) {
    static const char ENDINGS[4][3] = {"st", "nd", "rd", "th"};
    for (int e = 0; e < 4; e++)
        if (rest->end - rest->at >= 2 && !memcmp(rest->at, ENDINGS[e], 2)) {
            rest->at += 2;
            return;
        }
}

/* The name of a month, cut anywhere behind its third letter, as a number; 0 where there is none. */
static int month(Rest *rest) {
    static const char MONTHS[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    if (rest->end - rest->at < 3) return 0;
    for (int m = 0; m < 12; m++)
        if (!memcmp(rest->at, MONTHS + 3 * m, 3)) {
            rest->at += 3;
            for (int k = 0; k < 6 && rest->at < rest->end && *rest->at >= 'a' && *rest->at <= 'z'; k++) rest->at++;
            return m + 1;
        }
    return 0;
}

typedef struct {
    int year, month, day, undecided;
} Date;

static int packed_date(const u8 *at, i64 size, Date *date) {
    if (size != 8) return 0;
    for (i64 k = 0; k < size; k++)
        if (!is_digit(at[k])) return 0;
    int century = 10 * (at[0] - '0') + at[1] - '0', middle = 10 * (at[4] - '0') + at[5] - '0';
    if (century < 17 || century > 20 || middle > 31) return 0;
    *date = (Date){100 * century + 10 * (at[2] - '0') + at[3] - '0', middle, 10 * (at[6] - '0') + at[7] - '0', 0};
    return 1;
}

static int separated_date(const u8 *at, i64 size, const u8 *day_first, Date *date) {
    Rest rest = {at, at + size};
    int digits, digits_of_second, one = number(&rest, 1, 4, &digits);
    if (one < 0 || digits == 3 || rest.at == rest.end) return 0;
    u8 mark = *rest.at++;
    if (!is_one_of(mark, SEPARATORS)) return 0;
    int two = number(&rest, 1, 2, &digits_of_second);
    if (two < 0 || rest.at == rest.end || *rest.at++ != mark) return 0;
    if (digits == 4) {
        int three = number(&rest, 1, 2, 0);
        if (three < 0 || rest.at != rest.end) return 0;
        *date = (Date){one, two, three, 0};
        return 1;
    }
    int year = year_at_end(&rest), day_is_first = day_first[strchr(SEPARATORS, mark) - SEPARATORS];
    if (year < 0) return 0;
    *date = (Date){year, day_is_first ? two : one, day_is_first ? one : two, 1};
    return 1;
}

static int named_date(const u8 *at, i64 size, Date *date) {
    Rest rest = {at, at + size};
    int day, named, year;
    if (rest.at < rest.end && is_digit(*rest.at)) {
        day = number(&rest, 1, 2, 0);
        ordinal(&rest);
        if (day < 0 || !separated(&rest, "-/. ")) return 0;
        named = month(&rest);
    } else {
        named = month(&rest);
        if (!named || !separated(&rest, "-/. ")) return 0;
        day = number(&rest, 1, 2, 0);
        ordinal(&rest);
    }
    if (!named || day < 0 || !separated(&rest, "-/., ")) return 0;
    year = year_at_end(&rest);
    *date = (Date){year, named, day, 0};
    return year >= 0;
}

/* Where the time of day begins at the end of a text: behind a t or spaces. */
static i64 before_time(const u8 *at, i64 size) {
    for (i64 begin = 0; begin < size; begin++) {
        if (at[begin] != 't' && at[begin] != ' ') continue;
        i64 k = begin + 1;
        while (at[begin] == ' ' && k < size && at[k] == ' ') k++;
        i64 hours = 0;
        while (k < size && is_digit(at[k]) && hours < 2) k++, hours++;
        if (!hours || k + 2 >= size || at[k] != ':' || !is_digit(at[k + 1]) || !is_digit(at[k + 2])) continue;
        for (k += 3; k < size && (is_digit(at[k]) || is_one_of(at[k], ":.z+ -")); k++) {}
        if (k == size) return begin;
    }
    return size;
}

static void two_digits(Builder *builder, int number) {
    put(builder, (u8)('0' + number / 10 % 10));
    put(builder, (u8)('0' + number % 10));
}

/* Eight digits for each date in a usual notation, else nothing; whether day and month may be exchanged, and which
   texts were read. `day_first` tells by separator (- / . and space) what the first of two small numbers is. */
KERNEL i64 dates_of(ArrowArrayStream *stream, i64 count, const u8 *day_first, u8 *ambiguous, u8 *read,
                    ArrowSchema *schema, ArrowArray *array) {
    OPENED(stream, count)
    Builder builder;
    if (begin_texts(&builder, count, 8 * count)) {
        close_texts(&texts);
        return -1;
    }
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        u8 own[LONGEST];
        i64 begin = 0, size = text.size;
        ambiguous[v] = 0, read[v] = 0;
        while (begin < size && text.at[begin] == ' ') begin++;
        while (size > begin && text.at[size - 1] == ' ') size--;
        size -= begin;
        int plain = size > 0 && size <= LONGEST;
        for (i64 k = 0; plain && k < size; k++) {
            own[k] = lower(text.at[begin + k]);
            plain = own[k] < 0x80;
        }
        Date date;
        if (plain) {
            size = before_time(own, size);
            read[v] = (u8)(packed_date(own, size, &date) || separated_date(own, size, day_first, &date) ||
                           named_date(own, size, &date));
        }
        if (read[v]) {
            int swapped = date.month > LAST_MONTH && date.day <= LAST_MONTH;
            int larger = date.month > date.day ? date.month : date.day;
            ambiguous[v] = date.undecided && larger <= LAST_MONTH && date.month != date.day;
            two_digits(&builder, date.year / 100);
            two_digits(&builder, date.year);
            two_digits(&builder, swapped ? date.day : date.month);
            two_digits(&builder, swapped ? date.month : date.day);
        }
        end_text(&builder);
    }
    close_texts(&texts);
    return hand_over(&builder, schema, array);
}

/* By separator (- / . and space), how many more texts clearly begin with the day than with the month: see
   infer_day_first in dates.py. Nulls say nothing. */
KERNEL i64 days_first(ArrowArrayStream *stream, i64 count, i64 *votes) {
    OPENED(stream, count)
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        if (text.size <= 0) continue;
        Rest rest = {text.at, text.at + text.size};
        i64 space;
        int digits;
        while (rest.at < rest.end && (space = white(rest.at, rest.end - rest.at))) rest.at += space;
        int first = number(&rest, 1, 2, 0);
        if (first < 0 || rest.at == rest.end || !is_one_of(*rest.at, SEPARATORS)) continue;
        u8 mark = *rest.at++;
        int second = number(&rest, 1, 2, 0);
        if (second < 0 || rest.at == rest.end || *rest.at++ != mark) continue;
        if (number(&rest, 2, 4, &digits) < 0 || digits == 3) continue;
        if (rest.at < rest.end && !white(rest.at, rest.end - rest.at)) continue;
        votes[strchr(SEPARATORS, mark) - SEPARATORS] += (first > LAST_MONTH) - (second > LAST_MONTH);
    }
    close_texts(&texts);
    return 0;
}
