// The Open MPI peer (openmpi.ts): two ranks on this machine, shared memory between them. Rank 0 reads questions
// from standard input, one per line, and prints the samples that it took, one per line, in ns per message:
//
//   latency BYTES SAMPLES BATCH       one way: half of MPI_Send and MPI_Recv there and back
//   bandwidth BYTES SAMPLES WINDOW    WINDOW messages by MPI_Isend, the last answered by an empty one
//
// Between questions rank 0 waits for input, and rank 1 looks every millisecond whether there is one:
// MPI's own waits would keep a core. Data is checked after each question.

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TAG_QUESTION = 1, TAG_DATA = 2, TAG_ANSWER = 3, WINDOW_MAX = 256, PAGE_BYTES = 4096 };
enum { LATENCY = 0, BANDWIDTH = 1 };

struct question {
  int kind, bytes, samples, count, salt;
};

static MPI_Request requests[WINDOW_MAX];

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

/* Both ends of every page; below a page the first and the last byte. */
static int mark_at(int at, int salt) { return (at / PAGE_BYTES * 7 + at + salt) & 0xff; }

static void mark(unsigned char *data, int bytes, int salt) {
  for (int at = 0; at < bytes; at += PAGE_BYTES) {
    int last = at + PAGE_BYTES <= bytes ? at + PAGE_BYTES - 1 : bytes - 1;
    data[at] = mark_at(at, salt);
    data[last] = mark_at(last, salt);
  }
}

static void check(const unsigned char *data, int bytes, int salt) {
  for (int at = 0; at < bytes; at += PAGE_BYTES) {
    int last = at + PAGE_BYTES <= bytes ? at + PAGE_BYTES - 1 : bytes - 1;
    if (data[at] == mark_at(at, salt) && data[last] == mark_at(last, salt)) continue;
    fprintf(stderr, "data came wrong at %d of %d\n", at, bytes);
    MPI_Abort(MPI_COMM_WORLD, 3);
  }
}

static void send_data(unsigned char *data, int bytes) {
  MPI_Send(data, bytes, MPI_BYTE, 1, TAG_DATA, MPI_COMM_WORLD);
}

static void round_trip(struct question q, unsigned char *out, unsigned char *in) {
  if (q.kind == LATENCY) {
    send_data(out, q.bytes);
    MPI_Recv(in, q.bytes, MPI_BYTE, 1, TAG_DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return;
  }
  for (int i = 0; i < q.count; i++)
    MPI_Isend(out, q.bytes, MPI_BYTE, 1, TAG_DATA, MPI_COMM_WORLD, &requests[i]);
  MPI_Waitall(q.count, requests, MPI_STATUSES_IGNORE);
  MPI_Recv(NULL, 0, MPI_BYTE, 1, TAG_ANSWER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

/* Rank 1's half of round_trip(). Each message of a window has a buffer of its own. */
static void answer(struct question q, unsigned char *out, unsigned char *in) {
  if (q.kind == LATENCY) {
    MPI_Recv(in, q.bytes, MPI_BYTE, 0, TAG_DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Send(out, q.bytes, MPI_BYTE, 0, TAG_DATA, MPI_COMM_WORLD);
    return;
  }
  for (int i = 0; i < q.count; i++)
    MPI_Irecv(in + (size_t)i * q.bytes, q.bytes, MPI_BYTE, 0, TAG_DATA, MPI_COMM_WORLD, &requests[i]);
  MPI_Waitall(q.count, requests, MPI_STATUSES_IGNORE);
  MPI_Send(NULL, 0, MPI_BYTE, 0, TAG_ANSWER, MPI_COMM_WORLD);
}

static unsigned char *new_data(size_t bytes) {
  unsigned char *data = calloc(bytes + 1, 1);
  if (data == NULL) MPI_Abort(MPI_COMM_WORLD, 4);
  return data;
}

static int rounds_of(struct question q) {
  return 1 + q.samples * (q.kind == LATENCY ? q.count : 1); /* one before the clock starts */
}

static void measure(struct question q) {
  unsigned char *out = new_data(q.bytes), *in = new_data(q.bytes);
  double *samples = malloc(sizeof(double) * q.samples);
  if (samples == NULL) MPI_Abort(MPI_COMM_WORLD, 4);
  mark(out, q.bytes, q.salt);
  MPI_Send(&q, sizeof q, MPI_BYTE, 1, TAG_QUESTION, MPI_COMM_WORLD);
  round_trip(q, out, in);
  int rounds = q.kind == LATENCY ? q.count : 1;
  double messages = q.kind == LATENCY ? 2.0 * q.count : q.count;
  for (int i = 0; i < q.samples; i++) {
    double start = now_ns();
    for (int round = 0; round < rounds; round++) round_trip(q, out, in);
    samples[i] = (now_ns() - start) / messages;
  }
  if (q.kind == LATENCY) check(in, q.bytes, q.salt + 1);
  for (int i = 0; i < q.samples; i++) printf("%.3f\n", samples[i]);
  fflush(stdout);
  free(samples);
  free(out);
  free(in);
}

static void serve(struct question q) {
  size_t slots = q.kind == LATENCY ? 1 : q.count;
  unsigned char *out = new_data(q.bytes), *in = new_data(slots * q.bytes);
  mark(out, q.bytes, q.salt + 1);
  for (int round = rounds_of(q); round > 0; round--) answer(q, out, in);
  check(in + (slots - 1) * q.bytes, q.bytes, q.salt);
  free(out);
  free(in);
}

static void ask(void) {
  char kind[16];
  struct question q = {.salt = 0};
  while (scanf("%15s %d %d %d", kind, &q.bytes, &q.samples, &q.count) == 4) {
    q.kind = strcmp(kind, "bandwidth") == 0 ? BANDWIDTH : LATENCY;
    if (q.bytes < 0 || q.samples < 1 || q.count < 1 || q.count > WINDOW_MAX) MPI_Abort(MPI_COMM_WORLD, 2);
    q.salt++;
    measure(q);
  }
  q.samples = 0; /* the end */
  MPI_Send(&q, sizeof q, MPI_BYTE, 1, TAG_QUESTION, MPI_COMM_WORLD);
}

static void answer_questions(void) {
  for (;;) {
    int there = 0;
    MPI_Iprobe(0, TAG_QUESTION, MPI_COMM_WORLD, &there, MPI_STATUS_IGNORE);
    if (!there) {
      usleep(1000);
      continue;
    }
    struct question q;
    MPI_Recv(&q, sizeof q, MPI_BYTE, 0, TAG_QUESTION, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (q.samples == 0) return;
    serve(q);
  }
}

int main(int argc, char **argv) {
  int rank, ranks;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (ranks != 2) MPI_Abort(MPI_COMM_WORLD, 2);
  if (rank == 0) ask();
  else answer_questions();
  MPI_Finalize();
  return 0;
}
