/* Patterns over digits (alternatives, groups, sets, counts) as steps, and the ways that texts take through them. */
#ifndef PATTERNS_H
#define PATTERNS_H

#include "texts.h"

/* One step: a SET of digits, or where to go on (from here). `first` says what may come next for it to succeed. */
typedef struct {
    u8 kind;
    u16 digits, first;
    i32 one, other;
} Step;

#define MOST_STEPS 65536
#define NO_WAY (-1)
#define TOO_MANY_WAYS (-2)

/* The steps of a pattern that a text must match from its beginning, `whole` to its end, and which group of it is
   marked (0: none), in room for MOST_STEPS; how many there are, 0 where the pattern is not known. */
i64 steps_of(const u8 *text, i64 size, int whole, int wanted, Step *steps);

/* How far the steps lead through a text, by the first way that leads to their end, and whether that is by way of the
   marked group. */
i64 led_through(const Step *step, const u8 *text, i64 size, int *marked);

#endif
