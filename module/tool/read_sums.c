/* read_sums.c - what several received reports come to: by domain, and by who sent them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/text.h"
#include "tool/report_read.h"

#define ROWS_SHOWN 200

/* One line of a table. */
struct row {
	const char *name; /* borrows from the entries */
	size_t reports;
	json_int_t good;
	json_int_t failed;
	size_t last; /* report that was counted, from 1 */
};

struct table {
	struct row *row;
	size_t count;
	size_t room;
	json_t *index; /* name: number of the row */
};

/* A sum of what strangers wrote must not overflow. */
static void add(json_int_t *sum, json_int_t more)
{
	*sum = *sum > INT64_MAX - more ? INT64_MAX : *sum + more;
}

/* NULL: no memory. */
static struct row *find_row(struct table *table, const char *name)
{
	const json_t *number = json_object_get(table->index, name);
	struct row *grown;

	if (number != NULL && (size_t)json_integer_value(number) < table->count)
		return &table->row[json_integer_value(number)];
	if (table->count == table->room) {
		size_t room = table->room == 0 ? 16 : 2 * table->room;

		grown = realloc(table->row, room * sizeof(*grown));
		if (grown == NULL)
			return NULL;
		table->row = grown;
		table->room = room;
	}
	if (json_object_set_new(table->index, name,
		    json_integer((json_int_t)table->count)) != 0)
		return NULL;
	table->row[table->count] = (struct row){ .name = name };
	return &table->row[table->count++];
}

static void add_sums(struct table *table, const char *name,
	const json_t *element, size_t report)
{
	const json_t *sums = json_object_get(element, "summary");
	struct row *row = find_row(table, name == NULL ? "" : name);

	if (row == NULL)
		return;
	row->reports += row->last != report;
	row->last = report;
	add(&row->good, json_integer_value(json_object_get(
				sums, "total-successful-session-count")));
	add(&row->failed, json_integer_value(json_object_get(
				  sums, "total-failure-session-count")));
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp(
		((const struct row *)a)->name, ((const struct row *)b)->name);
}

static void print_table(struct table *table, const char *title)
{
	if (table->count > 0)
		qsort(table->row, table->count, sizeof(*table->row),
			compare_rows);
	(void)printf(
		"%-40s %7s %10s %10s\n", title, "reports", "good", "failed");
	for (size_t i = 0; i < table->count && i < ROWS_SHOWN; i++) {
		const struct row *row = &table->row[i];
		double all = (double)row->good + (double)row->failed;
		struct rtls_quoted q;

		(void)printf("%-40s %7zu %10" JSON_INTEGER_FORMAT
			     " %10" JSON_INTEGER_FORMAT,
			row->name[0] != '\0'
				? rtls_quoted(&q, rtls_slice(row->name))
				: "(no name)",
			row->reports, row->good, row->failed);
		if (row->failed > 0)
			(void)printf(" (%.1f %%)",
				100.0 * (double)row->failed / all);
		(void)putchar('\n');
	}
	if (table->count > ROWS_SHOWN)
		(void)printf("and %zu more\n", table->count - ROWS_SHOWN);
}

static void free_table(struct table *table)
{
	json_decref(table->index);
	free(table->row);
}

void rtls_read_print_sums(const json_t *entries)
{
	struct table domains = { .index = json_object() };
	struct table senders = { .index = json_object() };
	const json_t *entry, *element;
	size_t i, k;

	json_array_foreach(entries, i, entry)
	{
		const json_t *report = json_object_get(entry, "report");
		const char *sender = json_string_value(
			json_object_get(report, "organization-name"));

		json_array_foreach(
			json_object_get(report, "policies"), k, element)
		{
			add_sums(&domains,
				json_string_value(json_object_get(
					json_object_get(element, "policy"),
					"policy-domain")),
				element, i + 1);
			add_sums(&senders, sender, element, i + 1);
		}
	}
	if (domains.count > 0) {
		print_table(&domains, "domain");
		(void)putchar('\n');
		print_table(&senders, "reported by");
	}
	free_table(&domains);
	free_table(&senders);
}
