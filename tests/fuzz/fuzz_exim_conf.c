/* fuzz_exim_conf.c - an Exim configuration: what is found lies inside of it, and what setup puts in can be taken
 * out to the last byte, and stands at the beginning of lines that are none of a continued one. */
#include "fuzz.h"
#include "tool/setup_plan.h"

static void check_blocks(
	struct rtls_slice input, const struct rtls_exim_conf *conf)
{
	for (size_t i = 0; i < conf->count; i++) {
		const struct rtls_exim_block *block = &conf->block[i];

		PROPERTY(fuzz_inside(input, block->name));
		PROPERTY(fuzz_inside(input, block->driver));
		PROPERTY(fuzz_inside(input, block->domains));
		PROPERTY(fuzz_inside(input, block->route_list));
		PROPERTY(fuzz_inside(input, block->event_action));
		PROPERTY(block->name.size > 0);
		PROPERTY(block->begin <=
			 (size_t)(block->name.data - input.data));
		PROPERTY(block->begin < block->behind_name);
		PROPERTY(i == 0 || block[-1].begin < block->begin);
	}
}

/* No line goes in where the one before it that is no comment ends with "\". */
static void check_place(struct rtls_slice input, size_t at)
{
	struct rtls_slice rest = rtls_slice_n(input.data, at), line;
	bool goes_on = false;

	PROPERTY(at <= input.size);
	while (rtls_slice_line(&rest, &line)) {
		line = rtls_slice_trim(line);
		if (line.size == 0)
			goes_on = false;
		else if (line.data[0] != '#' &&
			 !(line.data[0] == '.' && !goes_on))
			goes_on = line.data[line.size - 1] == '\\';
	}
	PROPERTY(!goes_on);
}

static void check_change(
	struct rtls_slice input, const struct rtls_setup_plan *plan)
{
	size_t room = input.size + 2 * sizeof(plan->storage) + 65536;
	char *out = malloc(room), *back = malloc(room);
	struct rtls_text text, again;
	enum rtls_status status;
	size_t count;

	if (out == NULL || back == NULL)
		abort();
	rtls_text_init(&text, out, room);
	rtls_text_init(&again, back, room);
	status = rtls_setup_put(input, plan->block, plan->count, &text);
	PROPERTY(status == RTLS_OK || status == RTLS_INVALID);
	if (status == RTLS_OK) {
		PROPERTY(rtls_setup_take_out(rtls_text_slice(&text), &again,
				 &count, NULL) == RTLS_OK);
		PROPERTY(count == plan->count);
		PROPERTY(rtls_slice_equal(rtls_text_slice(&again), input));
	}
	free(out);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rtls_slice input = fuzz_input(data, size);
	const struct rtls_setup_wish wishes[] = { { true, false, false },
		{ true, true, false }, { false, true, true } };
	static struct rtls_exim_conf conf;
	static struct rtls_setup_plan plan;

	if (rtls_exim_conf_parse(input, RTLS_EXIM_MAIN, &conf) != RTLS_OK)
		return 0;
	check_blocks(input, &conf);
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct rtls_findings findings = { .count = 0 };

		if (rtls_setup_plan(&conf, &wishes[i], &plan, &findings)) {
			for (size_t n = 0; n < plan.count; n++)
				check_place(input, plan.block[n].at);
			check_change(input, &plan);
		}
		PROPERTY(findings.count > 0);
		rtls_findings_free(&findings);
	}
	return 0;
}
