/*
 * Eight threads share a mutex and a condition variable: each adds to a counter under the mutex, then they pass a token around
 * by the condition variable. Wrong totals, a lost wake-up (time-out of the runner) or a failed join end with status 1.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS 8
#define ADDS 20000
#define ROUNDS 500

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static long counter;
static int turn;
static __thread int self;

static void *body(void *argument)
{
	self = (int)(long)argument;
	for (int i = 0; i < ADDS; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	for (int round = 0; round < ROUNDS; round++) {
		pthread_mutex_lock(&mutex);
		while (turn != self)
			pthread_cond_wait(&turn_changed, &mutex);
		turn = (turn + 1) % THREADS;
		pthread_cond_broadcast(&turn_changed);
		pthread_mutex_unlock(&mutex);
	}
	return (void *)(long)(self * 3);
}

int main(void)
{
	pthread_t thread[THREADS];
	for (long i = 0; i < THREADS; i++) {
		int error = pthread_create(&thread[i], NULL, body, (void *)i);
		if (error != 0) {
			printf("pthread_create: %d\n", error);
			return 1;
		}
	}
	for (long i = 0; i < THREADS; i++) {
		void *result;
		if (pthread_join(thread[i], &result) != 0 || (long)result != i * 3) {
			printf("join %ld: wrong result\n", i);
			return 1;
		}
	}
	printf("counter %ld turn %d\n", counter, turn);
	return counter != (long)THREADS * ADDS || turn != 0;
}
