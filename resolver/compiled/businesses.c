/* Company names without legal forms and without words that tell no one apart: see clean_business in businesses.py. */
#include "listed.h"

#define MOST_WORDS 48
#define LONGEST 384

/* What a listed phrase may be; BEGINS and ENDS: the first and last word of a form of several. See
   phrases_of in businesses.py. */
enum { AND = 1, NOISE = 2, WRITTEN = 4, FORM = 8, LEADS = 16, BEGINS = 32, ENDS = 64 };

/* Texts that are looked up by number. */
typedef struct {
    const u8 *bytes;
    const i64 *ends;
} Told;

/* The phrases, for each how it is written out and which of the forms it is, and the most words of one. */
typedef struct {
    Listed listed;
    Told written, forms;
    const i32 *form;
    i64 most;
} Tables;

/* A word of a name, where it lies in the name's room, and which of the listed it is. */
typedef struct {
    i64 begin, end, which;
} Part;

/* The words of a name, with single spaces in `room`. Those from `first` before `last` are left. */
typedef struct {
    u8 room[LONGEST];
    Part parts[MOST_WORDS];
    i32 forms[MOST_WORDS];
    i64 first, last, n_forms;
} Name;

static Text told(const Told *all, i64 number) {
    return (Text){all->bytes + all->ends[number], all->ends[number + 1] - all->ends[number]};
}

static i64 longest_of(const Told *told, i64 count) {
    i64 longest = 0;
    for (i64 k = 0; k < count; k++)
        if (told->ends[k + 1] - told->ends[k] > longest) longest = told->ends[k + 1] - told->ends[k];
    return longest;
}

/* Whether a byte is part of a word, as dots between lone letters have it. */
static int in_word(u8 byte) { return is_word(lower(byte)) || byte == '_' || byte == '\'' || byte == '`'; }

/* Whether a lone letter or digit (or _) stands there, with nothing `beyond` it. */
static int lone(Text text, i64 k, i64 beyond) {
    if (k < 0 || k >= text.size || !in_word(text.at[k]) || text.at[k] == '\'' || text.at[k] == '`') return 0;
    k += beyond;
    return k < 0 || k >= text.size || !in_word(text.at[k]);
}

/* One more word, which ends the room that is used: lone letters are one word with those before. Returns how much of the
   room is used then, -1 where there are too many words. `run`: whether the word before is of lone letters. */
static i64 add_word(Name *name, i64 begin, i64 end, int *run) {
    int single = end - begin == 1 && is_letter(name->room[begin]);
    if (single && *run) {
        name->room[begin - 1] = name->room[begin];
        return name->parts[name->last - 1].end = end - 1;
    }
    *run = single;
    if (name->last == MOST_WORDS) return -1;
    name->parts[name->last++] = (Part){begin, end, -1};
    return end;
}

/* The words of a text: apostrophes join, and so do dots between two lone letters. 0: not ASCII, or too long. */
static int take_words(Text text, const Tables *tables, Name *name) {
    i64 used = 0, begin = 0;
    int run = 0;
    name->first = name->last = name->n_forms = 0;
    if (text.size > LONGEST) return 0;
    for (i64 k = 0; k <= text.size; k++) {
        u8 byte = k < text.size ? lower(text.at[k]) : ' ';
        if (is_word(byte)) {
            if (used == begin && begin) name->room[used++] = ' ', begin = used;
            do {
                name->room[used++] = byte;
                byte = ++k < text.size ? lower(text.at[k]) : ' ';
            } while (is_word(byte));
        }
        if (byte >= 128) return 0;
        if (used > begin && byte != '\'' && byte != '`' &&
            !(byte == '.' && lone(text, k - 1, -1) && lone(text, k + 1, 1))) {
            used = begin = add_word(name, begin, used, &run);
            if (used < 0) return 0;
        }
    }
    for (i64 w = 0; w < name->last; w++) {
        Part *part = name->parts + w;
        part->which = which_of(&tables->listed, name->room + part->begin, part->end - part->begin);
    }
    return 1;
}

static int kind_at(const Tables *tables, const Name *name, i64 word) {
    i64 which = name->parts[word].which;
    return which < 0 ? 0 : tables->listed.kinds[which];
}

/* Which listed phrase some words are, if it is one of a kind, else -1. */
static i64 form_at(const Tables *tables, const Name *name, i64 begin, i64 end, int kind) {
    const Part *first = name->parts + begin, *last = name->parts + end - 1;
    i64 which = first->which;
    if (end - begin > 1) {
        if (!(kind_at(tables, name, begin) & BEGINS) || !(kind_at(tables, name, end - 1) & ENDS)) return -1;
        which = which_of(&tables->listed, name->room + first->begin, last->end - first->begin);
    }
    return which >= 0 && (tables->listed.kinds[which] & kind) == kind ? which : -1;
}

/* Take away what is nothing but forms (and "and") up to the end; one word stays. */
static void take_behind(const Tables *tables, Name *name) {
    i64 last = name->last, lowest = last, ends[MOST_WORDS]; /* where the form from there on ends, 0: there is none */
    i32 forms[MOST_WORDS];
    for (i64 begin = last - 1; begin > 0 && begin + tables->most >= lowest; begin--) {
        i64 most = last - begin < tables->most ? last - begin : tables->most;
        ends[begin] = 0;
        for (i64 end = begin + most; end > begin && !ends[begin]; end--) {
            i64 which = end == last || ends[end] ? form_at(tables, name, begin, end, FORM) : -1;
            if (which >= 0) ends[begin] = end, forms[begin] = tables->form[which];
        }
        if (!ends[begin] && (kind_at(tables, name, begin) & AND) && (begin + 1 == last || ends[begin + 1]))
            ends[begin] = begin + 1, forms[begin] = -1;
        if (ends[begin]) lowest = begin;
    }
    for (i64 at = lowest; at < last; at = ends[at])
        if (forms[at] >= 0) name->forms[name->n_forms++] = forms[at];
    name->last = lowest;
}

/* Take forms away that stand before the name; one word stays. */
static void take_before(const Tables *tables, Name *name) {
    if (name->last < 2 || !(kind_at(tables, name, 0) & (LEADS | BEGINS))) return;
    for (i64 words = tables->most; words > 0;) {
        i64 end = name->first + words;
        i64 which = end < name->last ? form_at(tables, name, name->first, end, FORM | LEADS) : -1;
        if (which >= 0) {
            name->forms[name->n_forms++] = tables->form[which];
            name->first = end;
            words = tables->most; /* once more: the longest first */
        } else {
            words--;
        }
    }
}

/* The word in the singular. */
static void put_singular(Text word, Builder *builder) {
    const u8 *end = word.at + word.size;
    int plural = word.size > 3 && end[-1] == 's';
    for (i64 k = 0; plural && k < word.size; k++) plural = is_letter(word.at[k]);
    if (plural && word.size > 4 && end[-2] == 'e' && end[-3] == 'i') {
        append(builder, (Text){word.at, word.size - 3});
        put(builder, 'y');
        return;
    }
    if (plural && end[-2] != 'a' && end[-2] != 'i' && end[-2] != 's' && end[-2] != 'u') word.size--;
    append(builder, word);
}

/* The words that are left, without those that tell no one apart where there are others. */
static void put_core(const Tables *tables, const Name *name, Builder *builder) {
    i64 telling = 0, put_before = 0;
    for (i64 w = name->first; w < name->last; w++) telling += !(kind_at(tables, name, w) & NOISE);
    for (i64 w = name->first; w < name->last; w++) {
        int kind = kind_at(tables, name, w);
        Part part = name->parts[w];
        if (telling && (kind & NOISE)) continue;
        if (put_before++) put(builder, ' ');
        if (kind & WRITTEN)
            append(builder, told(&tables->written, part.which));
        else
            put_singular((Text){name->room + part.begin, part.end - part.begin}, builder);
    }
}

/* The forms that were taken away, each once, rising. */
static void put_forms(const Tables *tables, Name *name, Builder *builder) {
    for (i64 k = 1; k < name->n_forms; k++)
        for (i64 j = k; j > 0 && name->forms[j - 1] > name->forms[j]; j--) {
            i32 form = name->forms[j];
            name->forms[j] = name->forms[j - 1], name->forms[j - 1] = form;
        }
    for (i64 k = 0; k < name->n_forms; k++) {
        if (k && name->forms[k] == name->forms[k - 1]) continue;
        if (k) put(builder, ' ');
        append(builder, told(&tables->forms, name->forms[k]));
    }
}

/* Make room for so many bytes more than there are; -1: memory is short. */
static int make_room(Builder *builder, i64 *room, i64 more) {
    if (builder->size + more <= *room) return 0;
    i64 wanted = 2 * *room + more;
    u8 *bytes = realloc(builder->bytes, (size_t)wanted + 1);
    if (!bytes) return -1;
    builder->bytes = bytes, *room = wanted;
    return 0;
}

static i64 read_names(Texts *texts, const Tables *tables, const i64 *most, Builder *made, i64 *rooms, u8 *read) {
    Name name;
    for (i64 v = 0; v < texts->count; v++) {
        Text text = text_at(texts, v);
        for (int k = 0; k < 2; k++)
            if (make_room(made + k, rooms + k, most[k])) return -1;
        read[v] = (u8)take_words(text, tables, &name);
        if (read[v]) {
            take_behind(tables, &name);
            take_before(tables, &name);
            put_core(tables, &name, made);
            put_forms(tables, &name, made + 1);
        }
        end_text(made), end_text(made + 1);
    }
    return 0;
}

/* The core and the legal forms of names, and which are read: the others, which are not ASCII or long, stay empty.
   `kinds` says what each of the `listed` phrases is, `written` how it is written out, `form` which of `forms` it is. */
KERNEL i64 companies(ArrowArrayStream *stream, i64 count, const u8 *bytes, const i64 *ends, const u8 *kinds,
                     i64 listed_count, const u8 *written, const i64 *written_ends, const i32 *form, const u8 *forms,
                     const i64 *form_ends, i64 forms_count, i64 most_words, u8 *read, ArrowSchema *core_schema,
                     ArrowArray *core, ArrowSchema *form_schema, ArrowArray *form_array) {
    if (listed_count > MOST_LISTED) return -2;
    Tables tables = {{bytes, kinds, ends, {0}, {0}}, {written, written_ends}, {forms, form_ends}, form, most_words};
    list_words(&tables.listed, listed_count);
    i64 most[] = {LONGEST + MOST_WORDS * (longest_of(&tables.written, listed_count) + 1),
                  MOST_WORDS * (longest_of(&tables.forms, forms_count) + 1)};
    OPENED(stream, count)
    i64 rooms[] = {all_bytes(&texts) + most[0], 4 * count + most[1]}; /* mostly enough */
    Builder made[2];
    int begun = 0;
    while (begun < 2 && !begin_texts(made + begun, count, rooms[begun])) begun++;
    if (begun < 2 || read_names(&texts, &tables, most, made, rooms, read)) {
        while (begun--) drop_texts(made + begun);
        close_texts(&texts);
        return -1;
    }
    close_texts(&texts);
    return hand_over_two(made, made + 1, core_schema, core, form_schema, form_array);
}
