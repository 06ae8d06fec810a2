// SPDX-License-Identifier: GPL-2.0
/*
 * Tables whose columns are as wide as what is in them
 */
#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "grid.h"

/* The next cell: the next row begins when this one has all of them. */
void grid_add(struct grid *grid, const char *format, ...)
{
	va_list args;

	if (array_grow((void **)&grid->cell, grid->nr_cells,
		       sizeof(*grid->cell))) {
		grid->failed = true;
		return;
	}
	va_start(args, format);
	if (vasprintf(&grid->cell[grid->nr_cells], format, args) < 0)
		grid->failed = true;
	else
		grid->nr_cells++;
	va_end(args);
}

static int column_width(const struct grid *grid, size_t column)
{
	size_t width = strlen(grid->column[column].name), i;

	for (i = column; i < grid->nr_cells; i += grid->nr_columns)
		if (strlen(grid->cell[i]) > width)
			width = strlen(grid->cell[i]);
	return width;
}

static void print_cell(const struct grid *grid, size_t column, int width,
		       const char *text, FILE *out)
{
	bool last = column + 1 == grid->nr_columns;

	if (!grid->column[column].left)
		fprintf(out, "%*s", width, text);
	else
		fprintf(out, "%-*s", last ? 0 : width, text);
	fputs(last ? "\n" : "  ", out);
}

/* The heads and all rows; it is empty afterwards. */
void grid_print(struct grid *grid, FILE *out)
{
	int *width = calloc(grid->nr_columns, sizeof(*width));
	size_t i, column;

	if (!width || grid->failed) {
		warnx("out of memory");
		goto out;
	}
	for (column = 0; column < grid->nr_columns; column++) {
		width[column] = column_width(grid, column);
		print_cell(grid, column, width[column],
			   grid->column[column].name, out);
	}
	for (i = 0; i < grid->nr_cells; i++) {
		column = i % grid->nr_columns;
		print_cell(grid, column, width[column], grid->cell[i], out);
	}
out:
	for (i = 0; i < grid->nr_cells; i++)
		free(grid->cell[i]);
	free(grid->cell);
	free(width);
	grid->cell = NULL;
	grid->nr_cells = 0;
}
