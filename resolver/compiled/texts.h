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

/* The texts of a stream of `count`, and what holds them until they are closed. */
typedef struct {
    Text *texts;
    i64 count, chunks;
    ArrowArray *arrays;
} Texts;

int open_texts(ArrowArrayStream *stream, i64 count, Texts *out);
void close_texts(Texts *texts);

/* Texts in the making: each is appended byte by byte into room for `most` bytes in all. */
typedef struct {
    u8 *bytes;
    i64 *ends;
    i64 size, count;
} Builder;

int begin_texts(Builder *builder, i64 count, i64 most);
void drop_texts(Builder *builder);

static inline void put(Builder *builder, u8 byte) { builder->bytes[builder->size++] = byte; }

static inline void end_text(Builder *builder) { builder->ends[++builder->count] = builder->size; }

/* Hand the texts over: `schema` and `array` release them; -1 where memory is short, and then they are dropped. */
int hand_over(Builder *builder, ArrowSchema *schema, ArrowArray *array);

static inline int lower(int byte) { return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte; }

static inline int is_digit(int byte) { return byte >= '0' && byte <= '9'; }

static inline int is_word(int byte) { return (byte >= 'a' && byte <= 'z') || is_digit(byte); }

#endif
