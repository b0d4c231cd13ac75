/* Attributes written as JSON objects, taken apart. */
#include "texts.h"

/* Where a JSON text goes on behind white space. */
static i64 behind_space(const Text *text, i64 at) {
    while (at < text->size && (text->at[at] == ' ' || (text->at[at] >= 9 && text->at[at] <= 13 && text->at[at] != 11 &&
                                                       text->at[at] != 12)))
        at++;
    return at;
}

/* The end of a JSON string that begins at `at` and is written without escapes; -1 where it is not. */
static i64 string_end(const Text *text, i64 at) {
    if (at >= text->size || text->at[at] != '"') return -1;
    for (i64 k = at + 1; k < text->size; k++) {
        if (text->at[k] == '"') return k;
        if (text->at[k] == '\\' || text->at[k] < 32) return -1;
    }
    return -1;
}

/* One value of an object: its key's number and where it lies; no value: null or blank. */
typedef struct {
    i64 key;
    Text value;
} Member;

#define MOST_KEYS 255

/* The members of a plain JSON object in the order of keys; -1 where it is none, or holds a key that is not among the
   `keys` or stands there twice, or another value than a string or null. */
static i64 members_of(const Text *text, const u8 *bytes, const i64 *ends, i64 keys, Member *out) {
    i64 at = behind_space(text, 0), found = 0;
    if (at >= text->size) return 0;
    if (text->at[at] != '{') return -1;
    at = behind_space(text, at + 1);
    if (at < text->size && text->at[at] == '}') return behind_space(text, at + 1) == text->size ? 0 : -1;
    for (;;) {
        i64 end = string_end(text, at), key = 0;
        if (end < 0) return -1;
        for (; key < keys; key++)
            if (ends[key + 1] - ends[key] == end - at - 1 &&
                !memcmp(bytes + ends[key], text->at + at + 1, (size_t)(end - at - 1)))
                break;
        if (key == keys) return -1;
        at = behind_space(text, end + 1);
        if (at >= text->size || text->at[at] != ':') return -1;
        at = behind_space(text, at + 1);
        Text value = {0, -1};
        if (at + 4 <= text->size && !memcmp(text->at + at, "null", 4)) {
            at += 4;
        } else {
            end = string_end(text, at);
            if (end < 0) return -1;
            value = (Text){text->at + at + 1, end - at - 1};
            at = end + 1;
        }
        i64 place = found;
        for (; place > 0 && out[place - 1].key >= key; place--) {
            if (out[place - 1].key == key) return -1;
            out[place] = out[place - 1];
        }
        out[place] = (Member){key, value};
        found++;
        at = behind_space(text, at);
        if (at >= text->size || (text->at[at] != ',' && text->at[at] != '}')) return -1;
        if (text->at[at] == '}') return behind_space(text, at + 1) == text->size ? found : -1;
        at = behind_space(text, at + 1);
    }
}

/* The values of plain JSON objects by row, then key (`ends` of each in `bytes`, which rise): row, number of the key
   and text, null and blank ones left out; a row without any is there once, with key -1. Returns how many there are,
   or -3 where a text is no plain object. */
KERNEL i64 object_values(ArrowArrayStream *stream, i64 count, const u8 *bytes, const i64 *ends, i64 keys, u32 *rows,
                         i32 *numbers, ArrowSchema *schema, ArrowArray *array) {
    if (keys > MOST_KEYS) return -2;
    OPENED(stream, count)
    Builder builder;
    if (begin_texts(&builder, count * (keys > 0 ? keys : 1), all_bytes(&texts))) {
        close_texts(&texts);
        return -1;
    }
    for (i64 row = 0; row < count; row++) {
        Member members[MOST_KEYS + 1];
        Text text = text_at(&texts, row);
        i64 found = text.size > 0 ? members_of(&text, bytes, ends, keys, members) : 0, held = 0;
        if (found < 0) {
            close_texts(&texts);
            drop_texts(&builder);
            return -3;
        }
        for (i64 k = 0; k < found; k++) {
            if (members[k].value.size <= 0) continue;
            rows[builder.count] = (u32)row;
            numbers[builder.count] = (i32)members[k].key;
            memcpy(builder.bytes + builder.size, members[k].value.at, (size_t)members[k].value.size);
            builder.size += members[k].value.size;
            end_text(&builder);
            held++;
        }
        if (!held) {
            rows[builder.count] = (u32)row;
            numbers[builder.count] = -1;
            end_text(&builder);
        }
    }
    close_texts(&texts);
    i64 found = builder.count;
    return hand_over(&builder, schema, array) ? -1 : found;
}
