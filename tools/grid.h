/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables whose columns are as wide as what is in them
 */
#ifndef _TOOLS_GRID_H
#define _TOOLS_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common.h"

/**
 * struct grid_column - a column
 * @name: its head
 * @left: it is aligned to the left, as words are
 */
struct grid_column {
	const char *name;
	bool left;
};

/**
 * struct grid - a table
 * @column: its columns
 * @nr_columns: how many
 * @cell: its cells, row by row
 * @nr_cells: how many
 * @failed: out of memory
 */
struct grid {
	const struct grid_column *column;
	size_t nr_columns;
	char **cell;
	size_t nr_cells;
	bool failed;
};

__printf(2, 3) void grid_add(struct grid *grid, const char *format, ...);
void grid_print(struct grid *grid, FILE *out);

#endif /* _TOOLS_GRID_H */
