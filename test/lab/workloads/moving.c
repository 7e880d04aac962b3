/*
 * moving TOTAL_MIB HOT_MIB SECONDS
 *
 * Three hot ranges of a third of HOT_MIB each, that move to other places every SECONDS. Places are twelfths of the
 * mapping. Four phases visit each place once, so that no place is hot in two phases one after another; then it repeats.
 */
#include "common.h"

#define PLACES 12
#define PHASES 4
#define RANGES 3

/* Neither the order nor the distances are even: where the heat goes next cannot be guessed. */
static const size_t places[PHASES][RANGES] = { { 1, 5, 9 }, { 3, 6, 11 }, { 0, 4, 8 }, { 2, 7, 10 } };

int main(int argc, char **argv)
{
	begin(argc, argv, 3, "[TOTAL_MIB [HOT_MIB [SECONDS]]]  (HOT_MIB: a quarter of TOTAL_MIB at most)");
	size_t total = number(1, 240) * MIB, hot = number(2, 24) * MIB, seconds = number(3, 10);
	size_t place_bytes = total / PLACES / PAGE * PAGE, range_bytes = hot / RANGES / PAGE * PAGE;
	if (range_bytes == 0 || range_bytes > place_bytes || seconds == 0)
		usage();

	char *base = map_small_pages(total);
	for (;; next_phase()) {
		size_t end_of_last = 0;
		for (size_t i = 0; i < RANGES; i++) {
			size_t offset = places[truth.phase % PHASES][i] * place_bytes;
			add("cold", base + end_of_last, offset - end_of_last);
			add("hot", base + offset, range_bytes);
			end_of_last = offset + range_bytes;
		}
		add("cold", base + end_of_last, total - end_of_last);
		tell();
		read_hot(seconds);
	}
}
