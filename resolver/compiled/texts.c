/* Texts in and out, and what is done to each of a column without looking at others. */
#include "texts.h"

void turn_to(Texts *texts, i64 v) {
    const ArrowArray *piece = texts->arrays;
    i64 low = 0;
    while (v >= low + piece->length) low += piece++->length;
    texts->piece = piece;
    texts->low = low, texts->high = low + piece->length;
    texts->views = (const View *)piece->buffers[1] + piece->offset;
    texts->valid = piece->null_count ? piece->buffers[0] : 0;
}

int open_texts(ArrowArrayStream *stream, i64 count, Texts *out) {
    ArrowSchema schema = {0};
    *out = (Texts){0};
    if (stream->get_schema(stream, &schema)) return -2;
    int views = strcmp(schema.format, "vu") == 0;
    if (schema.release) schema.release(&schema);
    if (!views) return -2;
    for (;;) {
        ArrowArray array = {0};
        if (stream->get_next(stream, &array)) return -2;
        if (!array.release) break;
        ArrowArray *arrays = realloc(out->arrays, (size_t)(out->chunks + 1) * sizeof(ArrowArray));
        if (!arrays || out->count + array.length > count) {
            array.release(&array);
            if (arrays) out->arrays = arrays;
            return arrays ? -2 : -1;
        }
        out->arrays = arrays;
        out->arrays[out->chunks++] = array;
        out->count += array.length;
    }
    if (out->count != count) return -2;
    if (count) turn_to(out, 0);
    return 0;
}

void close_texts(Texts *texts) {
    for (i64 k = 0; k < texts->chunks; k++) texts->arrays[k].release(&texts->arrays[k]);
    free(texts->arrays);
}

int begin_texts(Builder *builder, i64 count, i64 most) {
    *builder = (Builder){malloc((size_t)most + 1), malloc((size_t)(count + 1) * sizeof(i64)), 0, 0};
    if (builder->bytes && builder->ends) {
        builder->ends[0] = 0;
        return 0;
    }
    drop_texts(builder);
    return -1;
}

void drop_texts(Builder *builder) {
    free(builder->bytes);
    free(builder->ends);
}

static void release_schema(ArrowSchema *schema) { schema->release = 0; }

static void release_array(ArrowArray *array) {
    for (i64 k = 0; k < array->n_buffers; k++) free((void *)array->buffers[k]);
    free(array->buffers);
    array->release = 0;
}

/* Views of texts, and their bytes where some are too long to lie in a view themselves. */
static int hand_over_views(Builder *builder, ArrowSchema *schema, ArrowArray *array) {
    View *views = malloc((size_t)(builder->count + 1) * sizeof(View));
    const void **buffers = calloc(4, sizeof(void *));
    i64 *sizes = malloc(sizeof(i64)), longest = 0;
    if (!views || !buffers || !sizes) {
        free(views), free(buffers), free(sizes);
        return -1;
    }
    for (i64 k = 0; k < builder->count; k++) {
        i64 begin = builder->ends[k], size = builder->ends[k + 1] - begin;
        views[k] = (View){.size = (i32)size};
        if (size > longest) longest = size;
        if (size <= HERE) {
            if (size) memcpy(views[k].here, builder->bytes + begin, (size_t)size);
            continue;
        }
        memcpy(views[k].there.begin, builder->bytes + begin, sizeof views[k].there.begin);
        views[k].there.offset = (i32)begin;
    }
    free(builder->ends);
    buffers[1] = views;
    *sizes = builder->size;
    if (longest > HERE) {
        u8 *bytes = realloc(builder->bytes, (size_t)builder->size);
        buffers[2] = bytes ? bytes : builder->bytes;
        buffers[3] = sizes;
    } else { /* nothing lies behind them */
        free(builder->bytes);
        buffers[2] = sizes;
    }
    *schema = (ArrowSchema){"vu", "text", 0, 2, 0, 0, 0, release_schema, 0};
    *array = (ArrowArray){builder->count, 0, 0, longest > HERE ? 4 : 3, 0, buffers, 0, 0, release_array, 0};
    return 0;
}

/* Texts one after the other, of any size. */
static int hand_over_bytes(Builder *builder, ArrowSchema *schema, ArrowArray *array) {
    const void **buffers = malloc(3 * sizeof(void *));
    if (!buffers) return -1;
    u8 *bytes = realloc(builder->bytes, (size_t)builder->size + 1);
    buffers[0] = 0;
    buffers[1] = builder->ends;
    buffers[2] = bytes ? bytes : builder->bytes;
    *schema = (ArrowSchema){"U", "text", 0, 2, 0, 0, 0, release_schema, 0};
    *array = (ArrowArray){builder->count, 0, 0, 3, 0, buffers, 0, 0, release_array, 0};
    return 0;
}

/* Bytes that offsets of views reach; tests set it. */
KERNEL i64 most_of_views = INT32_MAX;

int hand_over(Builder *builder, ArrowSchema *schema, ArrowArray *array) {
    int given = builder->size <= most_of_views ? hand_over_views(builder, schema, array)
                                              : hand_over_bytes(builder, schema, array);
    if (given) drop_texts(builder);
    return given;
}

/* At least as many bytes as some rows take: most of a column are told by all of it, in one run. */
static i64 room_for(Texts *texts, const i64 *rows, i64 wanted) {
    if (4 * wanted > texts->count && wanted <= texts->count) return all_bytes(texts);
    i64 sum = 0;
    for (i64 k = 0; k < wanted; k++) sum += size_of(texts, rows[k]);
    return sum;
}

/* An empty text, and the texts of some rows behind it, which differ. */
KERNEL i64 picked(ArrowArrayStream *stream, i64 count, const i64 *rows, i64 wanted, ArrowSchema *schema,
                  ArrowArray *array) {
    OPENED(stream, count)
    Builder builder;
    i64 most = room_for(&texts, rows, wanted);
    if (begin_texts(&builder, wanted + 1, most)) {
        close_texts(&texts);
        return -1;
    }
    end_text(&builder);
    for (i64 k = 0; k < wanted; k++) {
        if (texts.chunks == 1 && k + 2 * AHEAD < wanted) __builtin_prefetch(texts.views + rows[k + 2 * AHEAD]);
        if (k + AHEAD < wanted) __builtin_prefetch(text_of(&texts, rows[k + AHEAD]).at);
        Text text = text_of(&texts, rows[k]);
        if (builder.size + text.size > most) { /* a row was given twice */
            drop_texts(&builder);
            close_texts(&texts);
            return -2;
        }
        append(&builder, text);
        end_text(&builder);
    }
    close_texts(&texts);
    return hand_over(&builder, schema, array);
}

/* What single texts say of how far two of them can be apart. */
KERNEL i64 spelled(ArrowArrayStream *stream, i64 count, Spelling *out) {
    OPENED(stream, count)
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        u64 letters = 0, word = 0;
        i32 more = 0; /* bytes beyond the first of a character */
        for (i64 k = 0; k < text.size; k++) {
            letters |= 1ull << (text.at[k] & 63);
            more += (text.at[k] & 0xc0) == 0x80;
            if (k < 8) word |= (u64)text.at[k] << (56 - 8 * k);
        }
        out[v] = (Spelling){letters, word, (i32)(text.size > 0 ? text.size : 0) - more, more == 0};
    }
    close_texts(&texts);
    return 0;
}

/* The digits of texts, four bits each, of the last fifteen; and how many there are. */
KERNEL i64 digits_of(ArrowArrayStream *stream, i64 count, u64 *digits, i32 *many) {
    OPENED(stream, count)
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        u64 word = 0;
        i32 seen = 0;
        for (i64 k = 0; k < text.size; k++)
            if (is_digit(text.at[k])) {
                word = (word << 4 | (u64)(text.at[k] - '0')) & ((1ull << 60) - 1);
                seen++;
            }
        digits[v] = word;
        many[v] = seen;
    }
    close_texts(&texts);
    return 0;
}

/* How many bytes a character that joins words takes at the beginning of a text, 0 if it is none: see _JOINERS. */
static int joiner(const u8 *at, i64 size) {
    if (at[0] == '\'' || at[0] == '`' || at[0] == '-') return 1;
    if (size >= 2 && ((at[0] == 0xc2 && at[1] == 0xb4) || (at[0] == 0xca && at[1] == 0xbc))) return 2;
    if (size >= 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0x98 || at[2] == 0x99 || at[2] == 0xb2)) return 3;
    return 0;
}

/* Words of letters and digits with single spaces; joiners vanish, `parting` bytes part: see phrases in folding.py. */
KERNEL i64 phrased(ArrowArrayStream *stream, i64 count, const u8 *parting, i64 marks, ArrowSchema *schema,
                   ArrowArray *array) {
    OPENED_TO_MAKE(stream, count, builder)
    u8 parts[256] = {0};
    for (i64 k = 0; k < marks; k++) parts[parting[k]] = 1;
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        int open = 0, any = 0;
        for (i64 k = 0; k < text.size;) {
            u8 byte = text.at[k];
            int skipped = parts[byte] ? 0 : joiner(text.at + k, text.size - k);
            if (skipped) {
                k += skipped;
                continue;
            }
            if (is_word(byte)) {
                if (open && any) put(&builder, ' ');
                put(&builder, byte);
                open = 0;
                any = 1;
            } else {
                open = 1;
            }
            k++;
        }
        end_text(&builder);
    }
    close_texts(&texts);
    return hand_over(&builder, schema, array);
}

/* How many texts dial each number of up to three digits behind + or 00: see infer_region in phones.py. */
KERNEL i64 dialled(ArrowArrayStream *stream, i64 count, i64 *times) {
    OPENED(stream, count)
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        const u8 *at = text.at;
        i64 left = text.size, skipped;
        while (left > 0 && (skipped = white(at, left))) at += skipped, left -= skipped;
        if (left >= 1 && at[0] == '+')
            at++, left--;
        else if (left >= 2 && at[0] == '0' && at[1] == '0')
            at += 2, left -= 2;
        else
            continue;
        while (left > 0 && (skipped = white(at, left))) at += skipped, left -= skipped;
        if (left < 1 || at[0] < '1' || at[0] > '9') continue;
        i64 number = 0;
        for (i64 k = 0; k < 3 && k < left && is_digit(at[k]); k++) number = 10 * number + at[k] - '0';
        times[number]++;
    }
    close_texts(&texts);
    return 0;
}

static int in_local(int byte) {
    return is_word(lower(byte)) || byte == '_' || byte == '%' || byte == '.' || byte == '-';
}

/* E-mail addresses in lower case without their +tag, and which of them are as plain as that: see _PLAIN and
   _TAGGED in emails.py. The others stay as they are. */
KERNEL i64 plain_emails(ArrowArrayStream *stream, i64 count, u8 *accepted, ArrowSchema *schema, ArrowArray *array) {
    OPENED_TO_MAKE(stream, count, builder)
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        i64 local = 0, at;
        while (local < text.size && in_local(text.at[local])) local++;
        at = local;
        if (at < text.size && text.at[at] == '+')
            while (at < text.size && (in_local(text.at[at]) || text.at[at] == '+')) at++;
        int good = local > 0 && text.at[0] != '.' && text.at[0] != '-' && at + 1 < text.size &&
                   text.at[at] == '@' && is_word(lower(text.at[text.size - 1]));
        for (i64 k = at + 1; good && k < text.size; k++)
            good = is_word(lower(text.at[k])) || text.at[k] == '.' || text.at[k] == '-';
        accepted[v] = (u8)good;
        for (i64 k = 0; k < text.size; k++)
            if (!good || k < local || k >= at) put(&builder, (u8)(good ? lower(text.at[k]) : text.at[k]));
        end_text(&builder);
    }
    close_texts(&texts);
    return hand_over(&builder, schema, array);
}

/* What stands before the first `mark`, and what behind it. */
KERNEL i64 parted(ArrowArrayStream *stream, i64 count, i64 mark, ArrowSchema *before_schema, ArrowArray *before,
                  ArrowSchema *behind_schema, ArrowArray *behind) {
    OPENED_TO_MAKE_TWO(stream, count, one, other)
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        i64 size = text.size > 0 ? text.size : 0;
        const u8 *found = size ? memchr(text.at, (int)mark, (size_t)size) : 0;
        i64 at = found ? found - text.at : size;
        if (at) memcpy(one.bytes + one.size, text.at, (size_t)at);
        one.size += at;
        if (at + 1 < size) {
            memcpy(other.bytes + other.size, found + 1, (size_t)(size - at - 1));
            other.size += size - at - 1;
        }
        end_text(&one);
        end_text(&other);
    }
    close_texts(&texts);
    return hand_over_two(&one, &other, before_schema, before, behind_schema, behind);
}

/* The words of texts, which spaces part: the text's number and the word. Without `values`: how many there are. */
KERNEL i64 words_of(ArrowArrayStream *stream, i64 count, u32 *values, ArrowSchema *schema, ArrowArray *array) {
    OPENED(stream, count)
    Builder builder = {0};
    i64 found = 0;
    for (int counting = 1; counting >= !values; counting--) {
        if (!counting && begin_texts(&builder, found, all_bytes(&texts))) {
            close_texts(&texts);
            return -1;
        }
        for (i64 v = 0; v < count; v++) {
            Text text = text_at(&texts, v);
            for (i64 k = 0, begin = 0; k <= text.size; k++) {
                if (k < text.size && text.at[k] != ' ') continue;
                if (k > begin && counting) found++;
                if (k > begin && !counting) {
                    values[builder.count] = (u32)v;
                    append(&builder, (Text){text.at + begin, k - begin});
                    end_text(&builder);
                }
                begin = k + 1;
            }
        }
    }
    close_texts(&texts);
    if (!values) return found;
    return hand_over(&builder, schema, array);
}

static int mute(int byte) { return byte && strchr("aeiouyhw ", byte) != 0; }

/* The first letter and the consonants behind it, those alike written alike, empty where nothing is behind: see sounds.py. */
KERNEL i64 sounds(ArrowArrayStream *stream, i64 count, ArrowSchema *schema, ArrowArray *array) {
    OPENED_TO_MAKE(stream, count, builder)
    for (i64 v = 0; v < count; v++) {
        Text text = text_at(&texts, v);
        i64 begin = builder.size, letters = 0, characters = 0;
        u8 last = 0;
        for (i64 k = 0; k < text.size; k++) {
            u8 byte = text.at[k], next = k + 1 < text.size ? text.at[k + 1] : 0;
            switch (byte) {
                case 'p': if (next == 'h') byte = 'f', k++; break;
                case 'c': if (next == 'k') k++; byte = 'k'; break;
                case 'q': byte = 'k'; break;
                case 'z': byte = 's'; break;
                case 'v': byte = 'w'; break;
                case 'd': byte = 't'; break;
            }
            int more = (byte & 0xc0) == 0x80; /* of the character before */
            if (letters && mute(byte)) continue;
            letters += !more;
            if (byte == last && byte < 128 && byte && strchr("bfgjklmnprstx", byte)) continue;
            characters += !more;
            put(&builder, byte);
            last = byte;
        }
        if (characters < 2) builder.size = begin;
        end_text(&builder);
    }
    close_texts(&texts);
    return hand_over(&builder, schema, array);
}

/* Where the smallest text of each group stands: `order` says which text each row has, `group` which group. Rows that
   are not `several` are each alone, and left as they are. */
KERNEL i64 smallest_of_groups(ArrowArrayStream *stream, i64 count, const i64 *order, const i64 *group,
                              const u8 *several, u32 *out) {
    OPENED(stream, count)
    u32 *best = malloc((size_t)count * sizeof(u32));
    if (!best) {
        close_texts(&texts);
        return -1;
    }
    memset(best, 0xff, (size_t)count * sizeof(u32));
    for (i64 row = 0; row < count; row++) {
        if (!several[row]) continue;
        u32 *held = best + group[row];
        Text own = text_of(&texts, order[row]);
        if (*held != UINT32_MAX) {
            Text other = text_of(&texts, *held);
            i64 shared = own.size < other.size ? own.size : other.size;
            int sign = memcmp(own.at, other.at, (size_t)shared);
            if (sign > 0 || (sign == 0 && own.size >= other.size)) continue;
        }
        *held = (u32)order[row];
    }
    for (i64 row = 0; row < count; row++)
        if (several[row]) out[row] = best[group[row]];
    free(best);
    close_texts(&texts);
    return 0;
}
