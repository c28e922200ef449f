/* exim_conf.c - see exim_conf.h. */
#include "tool/exim_conf.h"

#include <string.h>

/*
 * What is understood, line by line; "\" at the end of a line lets it go on in the next, comments in
 * between do not count.
 *
 *   line       = *WSP ( comment / directive / "begin" 1*WSP name / label / option )
 *   comment    = "#" *OCTET
 *   directive  = "." ( "if" / "endif" / "include" ) *OCTET
 *   label      = name *WSP ":"        ; in the sections with routers, transports or ACLs
 *   option     = [ "hide" 1*WSP ] name *WSP "=" *OCTET
 */

struct reader {
	struct rtls_slice text;
	size_t at; /* of the next line */
	enum rtls_exim_section section;
	size_t depth;     /* of .if */
	size_t condition; /* where the outermost began in this section */
	size_t comments;  /* where those right above the line began */
	bool goes_on;     /* the line before had a "\" */
	struct rtls_exim_block *block;
	struct rtls_slice *value; /* of the option in this line, or NULL */
	struct rtls_exim_conf *conf;
};

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

static struct rtls_slice take_name(struct rtls_slice *line)
{
	size_t size = 0;
	struct rtls_slice name;

	while (size < line->size && is_name_char(line->data[size]))
		size++;
	name = rtls_slice_n(line->data, size);
	*line = rtls_slice_trim(
		rtls_slice_n(line->data + size, line->size - size));
	return name;
}

/* The options of a block that are kept. */
static struct rtls_slice *find_option(
	struct rtls_exim_block *block, struct rtls_slice name)
{
	const struct {
		const char *name;
		struct rtls_slice *value;
	} options[] = {
		{ "driver", &block->driver },
		{ "domains", &block->domains },
		{ "transport", &block->transport },
		{ "route_list", &block->route_list },
		{ "event_action", &block->event_action },
		{ "multi_domain", &block->multi_domain },
		{ "protocol", &block->protocol },
		{ "port", &block->port },
		{ "hosts_try_auth", &block->login },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (rtls_slice_is(name, options[i].name))
			return options[i].value;
	return NULL;
}

static void read_block_option(struct reader *reader, struct rtls_slice line)
{
	struct rtls_slice name = take_name(&line), *value;

	if (rtls_slice_is(name, "hide"))
		name = take_name(&line);
	if (rtls_slice_starts(name, "no_"))
		name = rtls_slice_n(name.data + 3, name.size - 3);
	value = find_option(reader->block, name);
	if (value == NULL)
		return;
	*value = line.size == 0 ? name : line; /* a boolean alone */
	if (line.size > 0 && line.data[0] == '=')
		*value = rtls_slice_trim(
			rtls_slice_n(line.data + 1, line.size - 1));
	reader->value = value;
	if (value == &reader->block->driver)
		reader->block->behind_driver = reader->at;
}

static void read_main_option(struct reader *reader, struct rtls_slice line)
{
	struct rtls_slice name = take_name(&line);

	if (rtls_slice_is(name, "domainlist") &&
		rtls_slice_is(take_name(&line), "local_domains"))
		reader->conf->has_local_domains = true;
	if (rtls_slice_is(name, "REQUIRETLS_VIA"))
		reader->conf->has_via = true;
	if (line.size == 0 || line.data[0] != '=')
		return;
	line = rtls_slice_trim(rtls_slice_n(line.data + 1, line.size - 1));
	if (rtls_slice_is(name, "acl_smtp_data"))
		reader->conf->acl_smtp_data = line;
	else if (rtls_slice_is(name, "acl_not_smtp"))
		reader->conf->acl_not_smtp = line;
}

/* Of a line, with the comments right above it. */
static size_t with_comments(const struct reader *reader, size_t begin)
{
	return reader->comments != RTLS_EXIM_NOWHERE ? reader->comments : begin;
}

/* "name:" begins a router, transport or ACL. */
static enum rtls_status read_label(
	struct reader *reader, size_t begin, struct rtls_slice name)
{
	struct rtls_exim_conf *conf = reader->conf;

	if (conf->count == RTLS_EXIM_BLOCKS_MAX)
		return RTLS_INVALID;
	reader->value = NULL;
	reader->block = &conf->block[conf->count++];
	*reader->block = (struct rtls_exim_block){ .section = reader->section,
		.name = name,
		.begin = with_comments(reader, begin),
		.behind_name = reader->at,
		.behind_driver = RTLS_EXIM_NOWHERE,
		.condition = reader->condition };
	return RTLS_OK;
}

static enum rtls_exim_section section_of(struct rtls_slice name)
{
	if (rtls_slice_is_nocase(name, "acl"))
		return RTLS_EXIM_ACL;
	if (rtls_slice_is_nocase(name, "routers"))
		return RTLS_EXIM_ROUTERS;
	if (rtls_slice_is_nocase(name, "transports"))
		return RTLS_EXIM_TRANSPORTS;
	return RTLS_EXIM_OTHER;
}

static void begin_section(
	struct reader *reader, size_t begin, struct rtls_slice name)
{
	const enum rtls_exim_section section = section_of(name);
	struct rtls_exim_conf *conf = reader->conf;

	if (reader->section == RTLS_EXIM_MAIN) {
		conf->begin[RTLS_EXIM_MAIN] = begin;
		conf->is_conditional[RTLS_EXIM_MAIN] = reader->depth > 0;
	}
	conf->begin[section] = begin;
	conf->behind[section] = reader->at;
	conf->is_conditional[section] = reader->depth > 0;
	reader->section = section;
	reader->block = NULL;
	/* Of a condition that began earlier, nothing can be put before. */
	reader->condition = reader->depth > 0 ? 0 : RTLS_EXIM_NOWHERE;
}

static void read_directive(
	struct reader *reader, size_t begin, struct rtls_slice line)
{
	if (rtls_slice_starts(line, ".include")) {
		reader->conf->has_include[reader->section] = true;
		if (memmem(line.data, line.size, "requiretls/", 11) != NULL)
			reader->conf->includes_us = true;
	} else if (rtls_slice_starts(line, ".if")) {
		if (reader->depth++ == 0)
			reader->condition = with_comments(reader, begin);
	} else if (rtls_slice_starts(line, ".endif") && reader->depth > 0) {
		if (--reader->depth == 0)
			reader->condition = RTLS_EXIM_NOWHERE;
	}
}

/* What stands at the beginning of a logical line. */
static enum rtls_status read_statement(
	struct reader *reader, size_t begin, struct rtls_slice line)
{
	struct rtls_slice rest = line, name = take_name(&rest);

	if (rtls_slice_is_nocase(name, "begin") && rest.size > 0 &&
		is_name_char(rest.data[0])) {
		name = take_name(&rest);
		/* With more behind it Exim takes none of it. */
		begin_section(
			reader, begin, rest.size == 0 ? name : rtls_slice(""));
		return RTLS_OK;
	}
	if (reader->section == RTLS_EXIM_MAIN) {
		read_main_option(reader, line);
		return RTLS_OK;
	}
	if (reader->section == RTLS_EXIM_OTHER)
		return RTLS_OK;
	if (name.size > 0 && rtls_slice_is(rest, ":"))
		return read_label(reader, begin, name);
	if (reader->block != NULL)
		read_block_option(reader, line);
	return RTLS_OK;
}

static bool holds_us(struct rtls_slice line)
{
	return memmem(line.data, line.size, "requiretls", 10) != NULL ||
	       memmem(line.data, line.size, "REQUIRETLS", 10) != NULL;
}

/* What is neither empty nor a comment. */
static enum rtls_status read_text(
	struct reader *reader, size_t begin, struct rtls_slice line)
{
	const bool goes_on = reader->goes_on;

	if (line.data[0] == '.' && !goes_on) {
		read_directive(reader, begin, line);
		return RTLS_OK;
	}
	reader->goes_on = line.data[line.size - 1] == '\\';
	if (reader->block != NULL && holds_us(line))
		reader->block->mentions_us = true;
	if (!goes_on) {
		reader->value = NULL;
		return read_statement(reader, begin, line);
	}
	/* "domains = \" says it in the next line. */
	if (reader->value != NULL && rtls_slice_is(*reader->value, "\\"))
		*reader->value = line;
	/* What is put behind an option stands behind all of it. */
	if (reader->block != NULL && reader->value == &reader->block->driver)
		reader->block->behind_driver = reader->at;
	return RTLS_OK;
}

static enum rtls_status read_line(
	struct reader *reader, size_t begin, struct rtls_slice line)
{
	enum rtls_status status;

	line = rtls_slice_trim(line);
	if (line.size > 0 && line.data[0] == '#') {
		if (reader->comments == RTLS_EXIM_NOWHERE && !reader->goes_on)
			reader->comments = begin;
		return RTLS_OK;
	}
	status = line.size == 0 ? RTLS_OK : read_text(reader, begin, line);
	reader->goes_on = reader->goes_on && line.size > 0;
	reader->comments = RTLS_EXIM_NOWHERE;
	return status;
}

enum rtls_status rtls_exim_conf_parse(struct rtls_slice text,
	enum rtls_exim_section section, struct rtls_exim_conf *conf)
{
	struct reader reader = { .text = text,
		.section = section,
		.condition = RTLS_EXIM_NOWHERE,
		.comments = RTLS_EXIM_NOWHERE,
		.conf = conf };
	struct rtls_slice rest = text, line;
	enum rtls_status status = RTLS_OK;

	memset(conf, 0, sizeof(*conf));
	for (size_t i = 0; i < RTLS_EXIM_SECTIONS; i++)
		conf->begin[i] = conf->behind[i] = RTLS_EXIM_NOWHERE;
	conf->behind[section] = 0;
	if (section == RTLS_EXIM_MAIN)
		conf->begin[section] = text.size;
	while (status == RTLS_OK && rtls_slice_line(&rest, &line)) {
		size_t begin = reader.at;

		reader.at = text.size - rest.size;
		status = read_line(&reader, begin, line);
	}
	return status;
}

const struct rtls_exim_block *rtls_exim_conf_find(
	const struct rtls_exim_conf *conf, enum rtls_exim_section section,
	struct rtls_slice name)
{
	for (size_t i = 0; i < conf->count; i++)
		if (conf->block[i].section == section &&
			rtls_slice_equal(conf->block[i].name, name))
			return &conf->block[i];
	return NULL;
}

static bool sends(const struct rtls_exim_block *block)
{
	return block->section == RTLS_EXIM_ROUTERS && !block->mentions_us &&
	       (rtls_slice_is(block->driver, "dnslookup") ||
		       rtls_slice_is(block->driver, "manualroute"));
}

/* "! +local_domains", or for all. */
static bool is_for_most(const struct rtls_exim_block *block)
{
	struct rtls_slice domains = block->domains;

	if (domains.size > 0 && domains.data[0] == '"')
		domains = rtls_slice_trim(
			rtls_slice_n(domains.data + 1, domains.size - 1));
	return domains.size == 0 || domains.data[0] == '!' ||
	       domains.data[0] == '*';
}

bool rtls_exim_block_is_remote(const struct rtls_exim_block *block)
{
	return sends(block) && is_for_most(block);
}

bool rtls_exim_block_is_for_some(const struct rtls_exim_block *block)
{
	return sends(block) && !is_for_most(block);
}
