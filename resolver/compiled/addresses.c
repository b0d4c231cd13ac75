/* Address lines, their usual forms: house number, street and unit, as addresses.py says. */
#include "listed.h"

#define MOST_WORDS 48
#define LONGEST 384

/* What a listed word may be: see _listed in address_columns.py. */
enum { TYPE = 1, LEADS = 2, DIRECTION = 4, UNIT = 8 };

typedef Text Word;

/* How long the shortest and longest words are that begin a unit. */
typedef struct {
    i64 shortest, longest;
} UnitWords;

static UnitWords unit_words(const Listed *listed, i64 count) {
    UnitWords words = {LONGEST, 0};
    for (i64 w = 0; w < count; w++) {
        i64 size = listed->ends[w + 1] - listed->ends[w];
        if (!(listed->kinds[w] & UNIT)) continue;
        if (size < words.shortest) words.shortest = size;
        if (size > words.longest) words.longest = size;
    }
    return words;
}

static int begins(const u8 *at, i64 left, const char *word) {
    i64 size = (i64)strlen(word);
    return left >= size && memcmp(at, word, (size_t)size) == 0;
}

/* Whether a text holds a sign of a post box. */
static int boxed(const u8 *at, i64 size) {
    for (i64 k = 0; k < size; k++) {
        i64 left = size - k;
        if (at[k] == 'b' && (begins(at + k, left, "box") || begins(at + k, left, "bp"))) return 1;
        if (at[k] == 'p' && begins(at + k, left, "postfach")) return 1;
        if (at[k] == 'a' && begins(at + k, left, "apartado")) return 1;
        if (at[k] == 'c' && begins(at + k, left, "casella")) return 1;
    }
    return 0;
}

/* Whether a word ends with a shorter one that may begin a unit: there, patterns and words part ways. */
static int ends_with_unit(const Listed *listed, UnitWords words, const u8 *at, i64 size) {
    for (i64 own = words.shortest; own <= words.longest && own < size; own++)
        if (kind_of(listed, at + size - own, own) & UNIT) return 1;
    return 0;
}

/* The unit at the end of a line behind its house number: `size` becomes that of what is before it. 0 where the line
   holds a mark of a unit and its end is none as plain as that. See _without_unit in address_columns.py. */
static int take_unit(const Listed *listed, UnitWords words, const u8 *at, i64 *size, Word *unit) {
    i64 value = *size, digits = 0, end;
    while (value > 0 && is_word(at[value - 1])) digits += is_digit(at[--value]);
    i64 length = *size - value;
    if (value < 2 || !length || (!digits && length > 1)) return 0;
    if (at[value - 1] == '#') {
        end = value - 1;
        if (at[end - 1] == '#') return 0;
    } else if (at[value - 1] == ' ') {
        end = value;
    } else {
        return 0;
    }
    if (at[end - 1] == ' ') { /* a word for it, perhaps with a dot */
        i64 last = end - 1;
        if (last > 0 && at[last - 1] == '.') last--;
        i64 begin = last;
        while (begin > 0 && is_word(at[begin - 1])) begin--;
        int named = last > begin && (kind_of(listed, at + begin, last - begin) & UNIT);
        if (!named && last > begin && ends_with_unit(listed, words, at + begin, last - begin)) return 0;
        if (named && (begin == 0 || (at[begin - 1] != ' ' && at[begin - 1] != ','))) return 0;
        if (named)
            end = begin;
        else if (end == value)
            return 0;
    }
    if (end > 0 && at[end - 1] == ' ') end--;
    if (end > 0 && at[end - 1] == ',') end--;
    if (end > 0 && at[end - 1] == ' ') end--;
    if (end < 1) return 0;
    i64 zeros = 0; /* before it they are not of it, unless it is nothing else */
    while (zeros < length && at[value + zeros] == '0') zeros++;
    if (zeros < length) value += zeros, length -= zeros;
    *unit = (Word){at + value, length};
    *size = end;
    return 1;
}

/* Digits of an ordinal (3rd) as the word, in place. */
static void numbered(Word *word) {
    i64 digits = word->size - 2, zeros = 0;
    if (digits < 1) return;
    const u8 *ending = word->at + digits;
    if (!begins(ending, 2, "st") && !begins(ending, 2, "nd") && !begins(ending, 2, "rd") && !begins(ending, 2, "th"))
        return;
    for (i64 k = 0; k < digits; k++)
        if (!is_digit(word->at[k])) return;
    while (zeros < digits - 1 && word->at[zeros] == '0') zeros++;
    *word = (Word){word->at + zeros, digits - zeros};
}

/* Endings of streets' names, and a bit for what each ends with. */
typedef struct {
    const u8 *bytes;
    const i64 *ends;
    i64 count;
    u64 lasts;
} Endings;

static u64 last_bit(const u8 *end) { return 1ull << ((end[-1] ^ end[-2] << 1 ^ end[-2] >> 4) & 63); }

static void note_lasts(Endings *endings) {
    for (i64 e = 0; e < endings->count; e++)
        endings->lasts |= endings->ends[e + 1] - endings->ends[e] < 2 ? ~0ull
                                                                     : last_bit(endings->bytes + endings->ends[e + 1]);
}

/* How long a word is without the first of the endings that it has, if more than two letters are left. */
static i64 without_ending(const Endings *endings, Word word) {
    if (word.size < 4 || !(endings->lasts & last_bit(word.at + word.size))) return word.size;
    for (i64 e = 0; e < endings->count; e++) {
        i64 own = endings->ends[e + 1] - endings->ends[e];
        if (word.size > own + 2 && !memcmp(word.at + word.size - own, endings->bytes + endings->ends[e], (size_t)own))
            return word.size - own;
    }
    return word.size;
}

/* The street's own name, as street_core has it, at the end of what is being built; 0: too many words for that. */
static int put_core(const Listed *listed, const Endings *endings, const u8 *at, i64 size, Builder *builder) {
    u8 joined[LONGEST], kinds[MOST_WORDS];
    Word words[MOST_WORDS];
    i64 count = 0, used = 0, begin = 0;
    for (i64 k = 0; k <= size; k++) {
        if (k < size && is_word(at[k])) {
            joined[used++] = at[k];
        } else if (k == size || at[k] != '\'') {
            if (used > begin) {
                if (count == MOST_WORDS) return 0;
                words[count] = (Word){joined + begin, used - begin};
                numbered(&words[count]);
                kinds[count] = (u8)kind_of(listed, words[count].at, words[count].size);
                count++;
            }
            begin = used;
        }
    }
    i64 first = count > 1 && (kinds[0] & LEADS);
    i64 inner = 0, kept = 0;
    for (i64 w = first; w < count; w++) inner += !(kinds[w] & DIRECTION);
    for (i64 w = first; w < count; w++) {
        if (inner && (kinds[w] & DIRECTION)) continue;
        if (kept && (kinds[w] & TYPE)) continue;
        if (kept++) put(builder, ' ');
        append(builder, (Text){words[w].at, without_ending(endings, words[w])});
    }
    return 1;
}

/* Lines that are a house number and a street, perhaps with a unit behind them: the number without zeros before it,
   the street's own name, the unit, and whether the line is so, or blank. Others are left empty: see _cleaned_slice
   in address_columns.py. `kinds` says what each of `listed` words is. Nulls are blank. */
KERNEL i64 usual_lines(ArrowArrayStream *stream, i64 count, const u8 *bytes, const i64 *ends, const u8 *kinds,
                       i64 listed_count, const u8 *ending_bytes, const i64 *ending_ends, i64 ending_count, u8 *usual,
                       ArrowSchema *number_schema, ArrowArray *number, ArrowSchema *street_schema,
                       ArrowArray *street, ArrowSchema *unit_schema, ArrowArray *unit) {
    if (listed_count > MOST_LISTED) return -2;
    Listed listed = {bytes, kinds, ends, {0}, {0}};
    list_words(&listed, listed_count);
    UnitWords unit_of = unit_words(&listed, listed_count);
    Endings endings = {ending_bytes, ending_ends, ending_count, 0};
    note_lasts(&endings);
    OPENED(stream, count)
    Builder made[3], *numbers = made, *streets = made + 1, *units = made + 2;
    if (begin_three(made, count, all_bytes(&texts))) {
        close_texts(&texts);
        return -1;
    }
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        u8 own[LONGEST];
        Word value = {0, 0};
        i64 size = text.size, digits = 0, at, length = 0, core = streets->size;
        while (digits < size && is_digit(text.at[digits])) digits++;
        at = digits;
        if (at < size && lower(text.at[at]) >= 'a' && lower(text.at[at]) <= 'z') at++;
        int good = digits > 0 && at + 1 < size && size < LONGEST && text.at[at] == ' ' && text.at[at + 1] != ' ' &&
                   text.at[at + 1] != '-';
        int marked = 0;
        if (good) length = size - at - 1;
        for (i64 k = 0, begin = 0; good && k <= length; k++) {
            int byte = k < length ? lower(text.at[at + 1 + k]) : 0;
            own[k] = (u8)byte;
            if (is_word(byte)) continue;
            marked |= byte == ',' || byte == '#' || (k > begin && (kind_of(&listed, own + begin, k - begin) & UNIT));
            good = byte == ' ' || byte == '\'' || byte == '.' || byte == '-' || byte == ',' || byte == '#' || k == length;
            begin = k + 1;
        }
        good = good && !boxed(own, length);
        if (good && marked) {
            good = take_unit(&listed, unit_of, own, &length, &value);
            for (i64 k = 0, begin = 0; good && k <= length; k++) { /* marks that are left may be of another */
                if (k < length && is_word(own[k])) continue;
                good = (k == length || (own[k] != ',' && own[k] != '#')) &&
                       !(k > begin && (kind_of(&listed, own + begin, k - begin) & UNIT));
                begin = k + 1;
            }
        }
        if (good)
            good = put_core(&listed, &endings, own, length, streets);
        if (good) {
            i64 zeros = 0;
            while (zeros < digits && text.at[zeros] == '0') zeros++;
            for (i64 k = zeros; k < at; k++) put(numbers, (u8)lower(text.at[k]));
            append(units, value);
        } else {
            streets->size = core;
        }
        usual[v] = (u8)(good || size <= 0);
        end_text(numbers), end_text(streets), end_text(units);
    }
    close_texts(&texts);
    return hand_over_three(made, (ArrowSchema *[]){number_schema, street_schema, unit_schema},
                           (ArrowArray *[]){number, street, unit});
}
