/* Full names without anything special about them: see cleaned_full in name_columns.py. */
#include "texts.h"

#define MOST_WORDS 24
#define LONGEST 256
#define PLACES 4096

/* Words (`ends` of each in `bytes`), and a bit for what each is. */
typedef struct {
    const u8 *bytes, *kinds;
    const i64 *ends;
    u16 table[PLACES];
} Listed;

enum { SPECIAL = 1, DIGNITY = 2 };

static u64 hash_of(const u8 *at, i64 size) {
    u64 hash = (u64)size;
    for (i64 k = 0; k < size; k++) hash = (hash ^ at[k]) * MIX;
    return (hash ^ hash >> 29) & (PLACES - 1);
}

static int kind_of(const Listed *listed, Text word) {
    for (u64 place = hash_of(word.at, word.size); listed->table[place]; place = (place + 1) & (PLACES - 1)) {
        i64 w = listed->table[place] - 1;
        if (listed->ends[w + 1] - listed->ends[w] == word.size &&
            !memcmp(listed->bytes + listed->ends[w], word.at, (size_t)word.size))
            return listed->kinds[w];
    }
    return 0;
}

static int is_letter(u8 byte) { return byte >= 'a' && byte <= 'z'; }

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
    if (listed_count > PLACES / 4) return -2;
    Listed listed = {bytes, kinds, ends, {0}};
    for (i64 w = 0; w < listed_count; w++) {
        u64 place = hash_of(bytes + ends[w], ends[w + 1] - ends[w]);
        while (listed.table[place]) place = (place + 1) & (PLACES - 1);
        listed.table[place] = (u16)(w + 1);
    }
    OPENED_TO_MAKE_TWO(stream, count, firsts, lasts)
    Builder middles;
    if (begin_texts(&middles, count, all_bytes(&texts))) {
        drop_texts(&firsts), drop_texts(&lasts);
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
            int kind = kind_of(&listed, words[w]);
            good = !(kind & SPECIAL) && !(comma >= 0 && w == 0 && (kind & DIGNITY));
        }
        read[v] = (u8)good;
        if (good) {
            append(&firsts, words[0]);
            append(&lasts, words[found - 1]);
            for (i64 w = 1; w < found - 1; w++) {
                if (w > 1) put(&middles, ' ');
                append(&middles, words[w]);
            }
        }
        end_text(&firsts), end_text(&middles), end_text(&lasts);
    }
    close_texts(&texts);
    if (hand_over(&middles, middle_schema, middle)) {
        drop_texts(&firsts), drop_texts(&lasts);
        return -1;
    }
    if (hand_over_two(&firsts, &lasts, first_schema, first, last_schema, last)) {
        middle->release(middle);
        return -1;
    }
    return 0;
}
