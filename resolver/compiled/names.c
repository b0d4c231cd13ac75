/* Full names without anything special about them: see cleaned_full in name_columns.py. */
#include "listed.h"

#define MOST_WORDS 24
#define LONGEST 256

enum { SPECIAL = 1, DIGNITY = 2 };

static int in_name(u8 byte) { return is_letter(byte) || byte == '\'' || byte == ' ' || byte == '.' || byte == '-'; }

/* Where the comma of "Last, First" stands, -1 where there is none, -2 where the text is neither that nor a plain name. */
static i64 comma_of(Text text) {
    i64 k = 0, comma;
    while (k < text.size && in_name(text.at[k])) k++;
    if (k == text.size) return -1;
    comma = k;
    if (text.at[comma] != ',') return -2;
    while (k > 0 && text.at[k - 1] == ' ') k--;
    if (!k) return -2;
    for (i64 j = 0; j < k; j++)
        if (text.at[j] == ' ' || text.at[j] == '.') return -2;
    for (k = comma + 1; k < text.size && text.at[k] == ' '; k++) {}
    if (k == text.size || !is_letter(text.at[k])) return -2;
    for (; k < text.size; k++)
        if (!in_name(text.at[k])) return -2;
    return comma;
}

/* Words of letters; apostrophes and hyphens join. `room` holds them; returns how many there are, or one too many. */
static i64 words_in(Text text, u8 *room, Text *words, i64 count) {
    i64 used = 0, begin = 0;
    for (i64 k = 0; k <= text.size; k++) {
        if (k < text.size && is_letter(text.at[k])) {
            room[used++] = text.at[k];
        } else if (k == text.size || (text.at[k] != '\'' && text.at[k] != '-')) {
            if (used > begin) {
                if (count == MOST_WORDS) return MOST_WORDS + 1;
                words[count++] = (Text){room + begin, used - begin};
            }
            begin = used;
        }
    }
    return count;
}

/* First, middle and last names of folded texts of two words or more, which have no special word, and which these are;
   others stay empty. `kinds` says what each of the `listed` words is. */
KERNEL i64 full_names(ArrowArrayStream *stream, i64 count, const u8 *bytes, const i64 *ends, const u8 *kinds,
                      i64 listed_count, u8 *read, ArrowSchema *first_schema, ArrowArray *first,
                      ArrowSchema *middle_schema, ArrowArray *middle, ArrowSchema *last_schema, ArrowArray *last) {
    if (listed_count > MOST_LISTED) return -2;
    Listed listed = {bytes, kinds, ends, {0}, {0}};
    list_words(&listed, listed_count);
    OPENED(stream, count)
    Builder made[3], *firsts = made, *middles = made + 1, *lasts = made + 2;
    if (begin_three(made, count, all_bytes(&texts))) {
        close_texts(&texts);
        return -1;
    }
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v), words[MOST_WORDS];
        u8 room[LONGEST];
        i64 comma = text.size > 0 && text.size <= LONGEST ? comma_of(text) : -2, found = 0;
        if (comma == -1) found = words_in(text, room, words, 0);
        if (comma >= 0) {
            i64 size = text.size - comma - 1;
            found = words_in((Text){text.at + comma + 1, size}, room, words, 0);
            if (found <= MOST_WORDS) found = words_in((Text){text.at, comma}, room + size, words, found);
        }
        int good = found >= 2 && found <= MOST_WORDS;
        for (i64 w = 0; good && w < found; w++) {
            int kind = kind_of(&listed, words[w].at, words[w].size);
            good = !(kind & SPECIAL) && !(comma >= 0 && w == 0 && (kind & DIGNITY));
        }
        read[v] = (u8)good;
        if (good) {
            append(firsts, words[0]);
            append(lasts, words[found - 1]);
            for (i64 w = 1; w < found - 1; w++) {
                if (w > 1) put(middles, ' ');
                append(middles, words[w]);
            }
        }
        end_text(firsts), end_text(middles), end_text(lasts);
    }
    close_texts(&texts);
    return hand_over_three(made, (ArrowSchema *[]){first_schema, middle_schema, last_schema},
                           (ArrowArray *[]){first, middle, last});
}

/* A number for the letters of each text, whatever their order: the sum of one for each of its bytes. */
KERNEL i64 anagrams(ArrowArrayStream *stream, i64 count, const u64 *of_byte, u64 *out) {
    OPENED(stream, count)
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        u64 sum = 0;
        for (i64 k = 0; k < text.size; k++) sum += of_byte[text.at[k]];
        out[v] = sum;
    }
    close_texts(&texts);
    return 0;
}
