/* Clusters: connected components, and average linkage inside each. */
#include "kernels.h"

static u32 root_of(u32 *above, u32 row) {
    while (above[row] != row) {
        above[row] = above[above[row]];
        row = above[row];
    }
    return row;
}

/* The first member of each row's component. */
KERNEL i64 first_members(const u32 *left, const u32 *right, i64 pairs, i64 rows, u32 *above, i64 *first) {
    for (i64 row = 0; row < rows; row++) above[row] = (u32)row;
    for (i64 p = 0; p < pairs; p++) {
        u32 one = root_of(above, left[p]), other = root_of(above, right[p]);
        if (one < other) above[other] = one;
        if (other < one) above[one] = other;
    }
    for (i64 row = 0; row < rows; row++) first[row] = root_of(above, (u32)row);
    return 0;
}

/* Join the two most similar clusters again and again: see average_linkage.py, whose every step this is. */
static void linked(double *similarity, i64 size, double *weight, i64 *cluster, const double *cuts, i64 count,
                   i64 *seen) {
    double lowest = cuts[0];
    for (i64 c = 1; c < count; c++)
        if (cuts[c] < lowest) lowest = cuts[c];
    for (i64 i = 0; i < size; i++) {
        cluster[i] = i;
        weight[i] = 1;
        similarity[i * size + i] = -INFINITY;
        for (i64 c = 0; c < count; c++) seen[c * size + i] = i;
    }
    for (i64 joins = 1; joins < size; joins++) {
        i64 best = 0;
        for (i64 k = 1; k < size * size; k++)
            if (similarity[k] > similarity[best]) best = k;
        double height = similarity[best];
        if (!(height >= lowest)) return;
        i64 a = best / size, b = best % size;
        for (i64 k = 0; k < size; k++) {
            double joined = similarity[a * size + k] * weight[a] + similarity[b * size + k] * weight[b];
            joined /= weight[a] + weight[b];
            similarity[a * size + k] = joined;
        }
        for (i64 k = 0; k < size; k++) similarity[k * size + a] = similarity[a * size + k];
        similarity[a * size + a] = -INFINITY;
        for (i64 k = 0; k < size; k++) similarity[b * size + k] = similarity[k * size + b] = -INFINITY;
        weight[a] += weight[b];
        for (i64 k = 0; k < size; k++)
            if (cluster[k] == b) cluster[k] = a;
        for (i64 c = 0; c < count; c++)
            if (height >= cuts[c]) memcpy(seen + c * size, cluster, (size_t)size * sizeof(i64));
    }
}

/* Clusters (first member's row) at each cut of the components of 2 to `largest` members. `members` are rows by
   component, `starts` where each begins; `pairs` are places in left, right and similarity by component, `bounds`
   where each begins. Rows of other components are left as they are in `out` (cuts, rows). */
KERNEL i64 cut_components(const u32 *starts, const u32 *members, i64 components, const u32 *bounds,
                          const u32 *pairs, const u32 *left, const u32 *right, const double *similarity,
                          const double *cuts, i64 count, i64 largest, i64 rows, i64 *out) {
    double *matrix = malloc((size_t)(largest * largest + largest) * sizeof(double));
    i64 *cluster = malloc((size_t)(largest * (count + 1)) * sizeof(i64));
    u32 *place = malloc((size_t)rows * sizeof(u32));
    if (!matrix || !cluster || !place) {
        free(matrix), free(cluster), free(place);
        return -1;
    }
    for (i64 c = 0; c < components; c++) {
        i64 size = starts[c + 1] - starts[c];
        if (size < 2 || size > largest) continue;
        const u32 *member = members + starts[c];
        for (i64 k = 0; k < size; k++) place[member[k]] = (u32)k;
        for (i64 k = 0; k < size * size; k++) matrix[k] = 0;
        for (i64 k = bounds[c]; k < bounds[c + 1]; k++) {
            i64 i = place[left[pairs[k]]], j = place[right[pairs[k]]];
            matrix[i * size + j] = matrix[j * size + i] = similarity[pairs[k]];
        }
        linked(matrix, size, matrix + largest * largest, cluster, cuts, count, cluster + largest);
        for (i64 cut = 0; cut < count; cut++)
            for (i64 k = 0; k < size; k++)
                out[cut * rows + member[k]] = member[cluster[largest + cut * size + k]];
    }
    free(matrix), free(cluster), free(place);
    return 0;
}

/* Pairs between two clusters that are asked for, one of them of several profiles: their places, and the two first
   rows as one word, the smaller above. Returns how many there are. */
KERNEL i64 between_clusters(const i64 *cluster, const i64 *size, const u8 *asked, const u32 *left,
                            const u32 *right, i64 pairs, i64 *at, u64 *words) {
    i64 found = 0;
    for (i64 p = 0; p < pairs; p++) {
        i64 a = cluster[left[p]], b = cluster[right[p]];
        at[found] = p;
        words[found] = a < b ? (u64)a << 32 | (u64)b : (u64)b << 32 | (u64)a;
        found += a != b && (asked[left[p]] || asked[right[p]]) && (size[a] > 1 || size[b] > 1);
    }
    return found;
}

/* Weights of one column for groups of pairs, `best` of the best and the rest of the mean, over the pairs that have
   it; 0 where none has. */
KERNEL i64 blended(const u8 *bytes, const u8 *stratum, const i64 *starts, i64 groups, const double *table, double best,
                   double *out) {
    for (i64 g = 0; g < groups; g++) {
        double sum = 0, top = -INFINITY;
        i64 known = 0;
        for (i64 p = starts[g]; p < starts[g + 1]; p++) {
            double weight = table[(stratum ? (i64)stratum[p] * 256 : 0) + bytes[p]];
            sum += weight;
            if (!bytes[p]) continue;
            known++;
            if (weight > top) top = weight;
        }
        out[g] = known ? (1 - best) * (sum / known) + best * top : 0.0;
    }
    return 0;
}

/* Groups of pairs that have one column to compare, which is nowhere equal. */
KERNEL i64 lone_groups(const u8 *bytes, i64 stride, i64 columns, const i64 *starts, i64 groups, const u8 *equal,
                       u8 *out) {
    for (i64 g = 0; g < groups; g++) {
        i64 compared = 0, same = 0;
        for (i64 k = 0; k < columns; k++) {
            u8 most = 0;
            for (i64 p = starts[g]; p < starts[g + 1]; p++) most = bytes[k * stride + p] > most ? bytes[k * stride + p] : most;
            compared += most > 0;
            same |= most >= equal[k];
        }
        out[g] = compared == 1 && !same;
    }
    return 0;
}

/* Match weights as linkage averages them: see softened in clustering.py. `prior` is each pair's, or one for all. */
KERNEL i64 softened(const double *weight, const double *prior, i64 each, i64 pairs, double clip, double relief,
                    double *out) {
    for (i64 p = 0; p < pairs; p++) {
        double own = weight[p] < -clip ? -clip : weight[p] > clip ? clip : weight[p];
        if (own < 0) {
            double against = -prior[each ? p : 0];
            own += relief * (against > 0 ? against : 0);
            own = own < 0 ? own : 0;
        }
        out[p] = own;
    }
    return 0;
}

/* Links without which their ends would not be connected; no two links have the same ends, and both differ. Nodes are
   walked in depth: a link to one that cannot be left again but by that link is a bridge. */
KERNEL i64 bridge_links(const i64 *left, const i64 *right, i64 links, i64 nodes, u8 *out) {
    i64 *starts = calloc((size_t)(nodes + 2), sizeof(i64));
    i64 *link_of = malloc((size_t)(2 * links + 1) * sizeof(i64)); /* by node, as `starts` has them */
    i64 *next = malloc((size_t)(nodes + 1) * sizeof(i64)), *by = malloc((size_t)(nodes + 1) * sizeof(i64));
    i64 *seen = calloc((size_t)(nodes + 1), sizeof(i64)), *low = malloc((size_t)(nodes + 1) * sizeof(i64));
    i64 *path = malloc((size_t)(nodes + 1) * sizeof(i64)), clock = 0;
    int short_of_memory = !starts || !link_of || !next || !by || !seen || !low || !path;
    for (i64 e = 0; !short_of_memory && e < links; e++) starts[left[e] + 2]++, starts[right[e] + 2]++;
    for (i64 n = 0; !short_of_memory && n < nodes; n++) starts[n + 2] += starts[n + 1];
    for (i64 e = 0; !short_of_memory && e < links; e++) {
        out[e] = 0;
        link_of[starts[left[e] + 1]++] = e;
        link_of[starts[right[e] + 1]++] = e;
    }
    for (i64 root = 0; !short_of_memory && root < nodes; root++) {
        if (seen[root]) continue;
        i64 depth = 0;
        path[0] = root, by[root] = -1, next[root] = starts[root], seen[root] = low[root] = ++clock;
        while (depth >= 0) {
            i64 node = path[depth];
            if (next[node] < starts[node + 1]) {
                i64 e = link_of[next[node]++], other = left[e] == node ? right[e] : left[e];
                if (e == by[node]) continue;
                if (seen[other]) {
                    if (seen[other] < low[node]) low[node] = seen[other];
                    continue;
                }
                path[++depth] = other, by[other] = e, next[other] = starts[other];
                seen[other] = low[other] = ++clock;
                continue;
            }
            if (--depth < 0) break;
            i64 before = path[depth];
            if (low[node] < low[before]) low[before] = low[node];
            if (low[node] > seen[before]) out[by[node]] = 1;
        }
    }
    free(starts), free(link_of), free(next), free(by), free(seen), free(low), free(path);
    return short_of_memory ? -1 : 0;
}

/* The first row of each row's group; `first` has room for one per group. */
KERNEL i64 first_rows(const i64 *label, i64 rows, i64 *first, i64 *out) {
    for (i64 row = rows - 1; row >= 0; row--) first[label[row]] = row;
    for (i64 row = 0; row < rows; row++) out[row] = first[label[row]];
    return 0;
}

/* Groups given by the first row of each row's, as numbers from 0 up in the order of first rows. */
KERNEL i64 numbered(const i64 *first, i64 rows, i32 *out) {
    i32 next = 0;
    for (i64 row = 0; row < rows; row++) out[row] = first[row] == row ? next++ : out[first[row]];
    return next;
}

/* Every pair of rows of one group of at least `smallest`, in the order of their left and right; `starts` and `members`
   are in_groups, `next` a copy of `starts`. Without `out`: how many there are. */
KERNEL i64 pairs_of_groups(const i64 *label, i64 rows, const u32 *starts, const u32 *members, i64 groups, i64 smallest,
                           u32 *next, u64 *out) {
    i64 found = 0;
    if (!out) {
        for (i64 g = 0; g < groups; g++) {
            i64 size = (i64)starts[g + 1] - starts[g];
            if (size >= smallest) found += size * (size - 1) / 2;
        }
        return found;
    }
    for (i64 row = 0; row < rows; row++) {
        i64 g = label[row], end = starts[g + 1];
        if (end - starts[g] < smallest) continue;
        for (i64 k = ++next[g]; k < end; k++) out[found++] = (u64)row << 32 | members[k];
    }
    return found;
}
