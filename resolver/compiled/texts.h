/* Texts of a Polars series as they lie, by the Arrow C stream interface. */
#ifndef TEXTS_H
#define TEXTS_H

#include "kernels.h"

typedef struct {
    const u8 *at;
    i64 size; /* bytes; -1: null */
} Text;

typedef struct ArrowSchema {
    const char *format, *name, *metadata;
    i64 flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
} ArrowSchema;

typedef struct ArrowArray {
    i64 length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
} ArrowArray;

typedef struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
} ArrowArrayStream;

/* How a text lies: in the view itself, or at an offset of one of the buffers behind it. */
#define HERE 12 /* bytes that lie in a view itself */

typedef struct {
    i32 size;
    union {
        u8 here[HERE];
        struct {
            u8 begin[4];
            i32 buffer, offset;
        } there;
    };
} View;

/* The texts of a stream of `count`, and what holds them until they are closed. They lie in pieces: from `low` up to
   `high` is the one that is looked at, `views` and `valid` are its (the latter 0 where nothing is null). */
typedef struct {
    i64 count, chunks, low, high;
    ArrowArray *arrays;
    const ArrowArray *piece;
    const View *views;
    const u8 *valid;
} Texts;

int open_texts(ArrowArrayStream *stream, i64 count, Texts *out);
void close_texts(Texts *texts);
/* Look at the piece that holds a text. */
void turn_to(Texts *texts, i64 v);

static inline Text text_of(Texts *texts, i64 v) {
    if (v < texts->low || v >= texts->high) turn_to(texts, v);
    const View *view = texts->views + (v - texts->low);
    i64 bit = texts->piece->offset + (v - texts->low);
    if (texts->valid && !(texts->valid[bit >> 3] >> (bit & 7) & 1)) return (Text){0, -1};
    if (view->size <= HERE) return (Text){view->here, view->size};
    return (Text){(const u8 *)texts->piece->buffers[2 + view->there.buffer] + view->there.offset, view->size};
}

static inline i64 size_of(Texts *texts, i64 v) {
    i64 size = text_of(texts, v).size;
    return size > 0 ? size : 0;
}

/* Texts in the making: each is appended byte by byte into room for `most` bytes in all. */
typedef struct {
    u8 *bytes;
    i64 *ends;
    i64 size, count;
} Builder;

int begin_texts(Builder *builder, i64 count, i64 most);
void drop_texts(Builder *builder);

static inline void put(Builder *builder, u8 byte) { builder->bytes[builder->size++] = byte; }

static inline void append(Builder *builder, Text text) {
    if (text.size > 0) {
        memcpy(builder->bytes + builder->size, text.at, (size_t)text.size);
        builder->size += text.size;
    }
}

static inline void end_text(Builder *builder) { builder->ends[++builder->count] = builder->size; }

/* Hand the texts over: `schema` and `array` release them; -1 where memory is short, and then they are dropped. */
int hand_over(Builder *builder, ArrowSchema *schema, ArrowArray *array);

/* Distinct texts lie anywhere: asked for early, they are there when needed. */
static inline Text text_at(Texts *texts, i64 v) {
    Text text = text_of(texts, v);
    if (v + AHEAD < texts->high) __builtin_prefetch(text_of(texts, v + AHEAD).at);
    return text;
}

static inline i64 all_bytes(Texts *texts) {
    i64 sum = 0;
    for (i64 k = 0; k < texts->count; k++) sum += size_of(texts, k);
    return sum;
}

/* Every kernel of texts begins and ends alike. */
#define OPENED(stream, count)                                  \
    Texts texts;                                               \
    int opened = open_texts(stream, count, &texts);            \
    if (opened) {                                              \
        close_texts(&texts);                                   \
        return opened;                                         \
    }

/* The same with room for what is made of the texts, once or twice. */
#define OPENED_TO_MAKE(stream, count, builder)                        \
    OPENED(stream, count)                                             \
    Builder builder;                                                  \
    if (begin_texts(&builder, count, all_bytes(&texts))) {            \
        close_texts(&texts);                                          \
        return -1;                                                    \
    }

#define OPENED_TO_MAKE_TWO(stream, count, one, other)                 \
    OPENED_TO_MAKE(stream, count, one)                                \
    Builder other;                                                    \
    if (begin_texts(&other, count, all_bytes(&texts))) {              \
        drop_texts(&one);                                             \
        close_texts(&texts);                                          \
        return -1;                                                    \
    }

/* Hand over two columns, or none. */
static inline int hand_over_two(Builder *one, Builder *other, ArrowSchema *schema, ArrowArray *array,
                         ArrowSchema *other_schema, ArrowArray *other_array) {
    if (hand_over(one, schema, array)) {
        drop_texts(other);
        return -1;
    }
    if (hand_over(other, other_schema, other_array)) {
        array->release(array);
        return -1;
    }
    return 0;
}

/* Room for three columns, each of so many bytes; or for none. */
static inline int begin_three(Builder *made, i64 count, i64 most) {
    for (int k = 0; k < 3; k++)
        if (begin_texts(made + k, count, most)) {
            while (k--) drop_texts(made + k);
            return -1;
        }
    return 0;
}

/* Hand over three columns, or none. */
static inline int hand_over_three(Builder *made, ArrowSchema **schemas, ArrowArray **arrays) {
    for (int k = 0; k < 3; k++)
        if (hand_over(made + k, schemas[k], arrays[k])) {
            for (int after = k + 1; after < 3; after++) drop_texts(made + after);
            while (k--) arrays[k]->release(arrays[k]);
            return -1;
        }
    return 0;
}

static inline u8 lower(u8 byte) { return (u8)(byte | ((u8)(byte - 'A') < 26) << 5); }

static inline int is_letter(u8 byte) { return byte >= 'a' && byte <= 'z'; }

static inline int is_digit(int byte) { return byte >= '0' && byte <= '9'; }

/* Lower-case letters and digits: looked up, for texts change from one to others at any byte. */
static const u8 WORD[256] = {
    ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1, ['9'] = 1,
    ['a'] = 1, ['b'] = 1, ['c'] = 1, ['d'] = 1, ['e'] = 1, ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1,
    ['k'] = 1, ['l'] = 1, ['m'] = 1, ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1, ['t'] = 1,
    ['u'] = 1, ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1,
};

static inline int is_word(u8 byte) { return WORD[byte]; }

/* Bytes of a character of white space at the beginning of a text, as regular expressions have it. */
static inline i64 white(const u8 *at, i64 size) {
    if (size >= 1 && (at[0] == ' ' || (at[0] >= 9 && at[0] <= 13))) return 1;
    if (size >= 2 && at[0] == 0xc2 && (at[1] == 0x85 || at[1] == 0xa0)) return 2;
    if (size < 3) return 0;
    u32 three = (u32)at[0] << 16 | (u32)at[1] << 8 | at[2];
    int space = three == 0xe19a80 || (three >= 0xe28080 && three <= 0xe2808a) || three == 0xe280a8 ||
                three == 0xe280a9 || three == 0xe280af || three == 0xe2819f || three == 0xe38080;
    return space ? 3 : 0;
}

#endif
