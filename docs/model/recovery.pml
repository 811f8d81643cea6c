/*
 * Portico's recovery protocol, for exhaustive search with Spin 6. README.md tells how to run it, what it found, and what each
 * M_ and HOLE_ switch stands for; tools/check-model runs the scenarios and all switches.
 *
 * A writer and a reader call server A, which calls server B. A is the whole engine of libserver; B has no result log. What is global
 * below survives a crash: the kernel's half of a domain (counters, pages, caller in the reply slot, names), the keep and the log. The
 * local variables of a server are its incarnation. Each statement, or d_step, is one store, one trap, or stores that nobody
 * can find half done (behind the end of a log, volatile). The adversary kills A or B before any of them, in recovery too.
 *
 * Every loop counts something up, so that no run is endless: that a run ends well (process Monitor) shows that all clients finish.
 *
 * Scenarios are sums of these switches: S_CALLS (nested calls, kernel operations, a sample, a call that is refused), S_PARK (the
 * reader parks), S_CANCEL (the reader's call is interrupted, or the reader dies), S_NOTES (B notifies A), S_TIMER, S_GIVE_UP (an
 * incarnation may be started with SERVER_START_GIVE_UP, or the handler abandons), S_WINDOW (bytes from the caller's memory,
 * then parked with the rest).
 */
#ifndef CRASHES
#define CRASHES 2
#endif
#ifndef WRITES
#define WRITES 2
#endif
#ifndef READS
#define READS 2
#endif

#define A 0
#define B 1

/* What lies in a request page. Controls come first, and have no caller. */
#define READ   1
#define WRITE  2
#define QUERY  3
#define NOTE   4
#define CANCEL 5

/* Callers. */
#define W 1
#define R 2

/* errnos; kernel statuses */
#define EIO     90
#define EINTR   91
#define DEAD    92
#define GONE    93	/* no caller in the reply slot */

/* Objects that names of A denote. */
#define O_REQUEST 1	/* right that came with a write */
#define O_PORT    2	/* port that A made */
#define O_ANSWER  3	/* right that came with B's answer */
#define O_PARKED  4	/* + caller: the right to answer it */

/* Traps, kinds of commit operations, of transactions and of results. */
#define T_PORT    1
#define T_PARK    2
#define T_FAILS   3
#define C_RELEASE 1
#define C_REPLY   2
#define C_OUT     3	/* something that cannot be taken back: ioport_write */
#define K_MESSAGE 1
#define K_TIMER   2
#define E_OPERATION 1
#define E_CALL      2
#define E_SAMPLE    3
#define E_WINDOW    4

#define NIL 255

/* ---- the kernel's half ---- */

byte commits[2];
bool held[2];
byte rtype, rarg, rname;	/* A's request page: kind, argument or request id, right that came */
byte slot;			/* caller in A's reply slot */
byte brequest;			/* B's request page */
byte sent, received, status;	/* A's calls; call_status */
byte operations, operation_result;
byte under_way;			/* A's call: 0 none, 1 queued at B (its bytes in A's send page), 2 with B */
byte spage;			/* A's send page */
byte apage, aname;		/* A's call-reply page: bytes, right */
byte ckind[7], cname[7], cvalue[7];	/* A's commit pages */
#define NAMES 13
byte object[NAMES];		/* what A's names denote; 0: nothing. None is given twice. */
byte next = 1;
chan q[2] = [3] of { byte, byte, byte };	/* messages at A's port: type, caller, argument. q[1] is not used. */
bool bits;			/* notification pending at A's port */
byte cancelled;			/* cancellation pending: request id */

/* ---- keep and log ---- */

byte d[14];			/* every store is undo-logged */
#define AX 0			/* twice the number of writes */
#define AS 1			/* sum of samples */
#define AT 2			/* items written */
#define AH 3			/* items taken */
#define AD 4			/* two items */
#define AP 6			/* name of the parked reader */
#define AR 7			/* its request id */
#define AO 8			/* name of the port made last */
#define AN 9			/* notifications */
#define AM 10			/* timer set; in S_WINDOW: name of the parked writer */
#define AK 11			/* timer fired */
#define BX 12			/* calls */
#define BS 13			/* sum of samples */

typedef log {
#if defined(HOLE_FIRST)
	byte tag;		/* the log is zeroed memory */
#else
	byte tag = NIL;
#endif
	byte ulen;
	byte ua[10], uv[10];
};
log l[2];
#if defined(HOLE_FIRST)
byte rend = NIL;	/* 0 in the implementation, which is not RESULTS_START */
bool cold = true;
#else
byte rend;			/* results: number of entries */
#endif
byte rlast = NIL;		/* the last one */
byte bsent, breceived, boperations;
byte kind, give_up;
typedef result {
	byte kind, number, argument, value, right;
	bool done, left;	/* left: the call was made, not refused */
};
#define RESULTS 7
result r[RESULTS];

/* ---- the world, and ghosts that only checks read ---- */

bool crash[2];
bool flag;			/* start the next incarnation with SERVER_START_GIVE_UP */
byte count;			/* A's volatile number of queued operations; here for the mutants */
bool waiting[3], gone[3];
byte ans[3];
byte request, posted;		/* ids: the reader's call, the one whose cancellation was sent to A */
bool asked[14];			/* calls that have left */
byte wrote[4], got[4];
byte freed[4], out[4];		/* by write; out[0]: the timer's */
byte ports, rights;		/* made; came with answers */
byte told;			/* notifications delivered */
byte lost;			/* notifications given up */
byte errors;			/* writes that were given up */
byte done;
bool abandoned;
bool late;			/* the timer's time has come for sure */

/* ==================== kernel operations, always inside a d_step ==================== */

inline k_enter(what, into)
{
	assert(next < NAMES);
	object[next] = what;
	into = next;
	next++
}

inline k_answer(to, val)
{
	assert(gone[to] || waiting[to]);
	if :: !gone[to] -> ans[to] = val; waiting[to] = false :: else fi;
	if :: to == R -> cancelled = 0 :: else fi	/* call_finish */
}

inline k_operation(k, name, val)
{
	if
	:: k == C_RELEASE ->
		assert(object[name] && object[name] < O_PARKED);	/* the kernel would pass over it; nobody should need that */
		if :: object[name] == O_REQUEST -> freed[val]++ :: else fi;
		object[name] = 0
	:: k == C_REPLY ->
		assert(object[name] > O_PARKED);
		k_answer(object[name] - O_PARKED, val);
		object[name] = 0
	:: k == C_OUT -> out[val]++
	fi
}

inline k_operations()
{
	j = 0;
	do
	:: j < count -> k_operation(ckind[j], cname[j], cvalue[j]); j++
	:: else -> break
	od;
	j = 0
}

/* The rest of the commit. What lies in the commit pages is not needed any more; erased to have fewer states. */
inline k_forget()
{
	j = 0;
	do
	:: j < 7 -> ckind[j] = 0; cname[j] = 0; cvalue[j] = 0; j++
	:: else -> break
	od;
	j = 0; count = 0
}

inline k_reply()
{
	if
	:: rv && slot -> k_answer(slot, rv); slot = 0
	:: else -> assert(!slot)		/* every caller is answered or parked */
	fi;
	lost = lost + lose; lose = false
}

/* A message goes into the request page. */
inline k_deliver()
{
	rname = 0; rarg = 0;
	if
	:: bits -> bits = false; rtype = NOTE; told++
	:: !bits && cancelled -> rtype = CANCEL; rarg = cancelled; cancelled = 0
	:: else ->
		q[A]?rtype, slot, rarg;
		if :: rtype == WRITE -> k_enter(O_REQUEST, rname) :: else fi
	fi;
#if defined(M_CONTROL_NOT_HELD)
	held[A] = (slot != 0)
#elif !defined(M_HELD_LATE)
	held[A] = true
#endif
}
#define WORK (len(q[A]) > 0 || bits || cancelled)

/* ==================== libserver ==================== */

/* A store to the keep, and the hook before it. */
inline STORE(s, addr, val)
{
#if defined(M_STORE_BEFORE_LOG)
	d_step { x = d[addr]; d[addr] = val };
	d_step { l[s].ua[l[s].ulen] = addr; l[s].uv[l[s].ulen] = x; l[s].ulen++; x = 0 }
#elif defined(M_LOG_END_FIRST)
	l[s].ulen++;
	d_step { l[s].ua[l[s].ulen - 1] = addr; l[s].uv[l[s].ulen - 1] = d[addr] };
	d[addr] = val
#elif defined(M_NO_UNDO)
	d[addr] = val
#else
	d_step { l[s].ua[l[s].ulen] = addr; l[s].uv[l[s].ulen] = d[addr] };
	l[s].ulen++;
	d[addr] = val
#endif
}

inline ROLLBACK(s)
{
#if defined(M_UNDO_FORWARD)
	i = 0;
	do
	:: i < l[s].ulen -> d_step { d[l[s].ua[i]] = l[s].uv[i]; i++ }
	:: else -> break
	od;
#elif defined(M_UNDO_POP)
	do
	:: l[s].ulen > 0 -> l[s].ulen--; d[l[s].ua[l[s].ulen]] = l[s].uv[l[s].ulen]
	:: else -> break
	od;
#else
	i = l[s].ulen;
	do
	:: i > 0 -> d_step { i--; d[l[s].ua[i]] = l[s].uv[i] }
	:: else -> break
	od;
#endif
	l[s].ulen = 0;
	i = 0
}

inline forget_undo(s)
{
	j = 0;
	do :: j < 10 -> l[s].ua[j] = 0; l[s].uv[j] = 0; j++ :: else -> break od;
	j = 0; l[s].ulen = 0
}

inline forget_results()
{
	j = 0;
	do
	:: j < RESULTS -> r[j].kind = 0; r[j].number = 0; r[j].argument = 0; r[j].value = 0; r[j].right = 0;
		r[j].done = false; r[j].left = false; j++
	:: else -> break
	od;
	j = 0; rend = 0; rlast = NIL; at = 0
}

/* transaction_begin. Nobody can see it half done: until the tag is stored a new incarnation begins again. */
inline BEGIN_A(what)
{
#if defined(M_TAG_FIRST)
	l[A].tag = commits[A];
#endif
	d_step { forget_undo(A) };
#if defined(M_TAG_EARLY)
	l[A].tag = commits[A];
#endif
	d_step {
		k_forget();
		forget_results();
		kind = what;
		give_up = 0; bsent = sent; breceived = received; boperations = operations
	};
	l[A].tag = commits[A]
}

/* Which pages stubs use: replay_until(). */
inline PAGES()
{
	scratch = !(at == rend && !outstanding)
}

inline APPEND(k, num, arg)
{
#if defined(M_PUBLISH_FIRST)
	rend++;
	d_step { rlast = rend - 1; r[rlast].kind = k; r[rlast].number = num; r[rlast].argument = arg; r[rlast].done = false; at = rend }
#elif defined(M_LAST_LATE)
	d_step { r[rend].kind = k; r[rend].number = num; r[rend].argument = arg; r[rend].done = false; r[rend].left = false };
	rend++;
	d_step { rlast = rend - 1; at = rend }
#else
	d_step { rlast = rend; r[rend].kind = k; r[rend].number = num; r[rend].argument = arg; r[rend].done = false;
		 r[rend].left = false };
	d_step { rend++; at = rend }
#endif
}

/* A value that another execution might find different. The bytes first: the entry is whole when it is published. */
inline SAMPLE(into)
{
	if
#if !defined(M_NO_SAMPLE_LOG)
	:: at < rend -> d_step { assert(r[at].kind == E_SAMPLE); into = r[at].value; at++; PAGES() }
#endif
	:: else ->
		if :: into = 1 :: into = 0 fi;
#if !defined(M_NO_SAMPLE_LOG)
		d_step { rlast = rend; r[rend].kind = E_SAMPLE; r[rend].value = into; r[rend].done = true };
		d_step { rend++; at = rend }
#endif
	fi
}

/* The effect of a kernel trap; its result is a name, or an error. */
inline k_trap(num, into)
{
	if
	:: num == T_PORT -> k_enter(O_PORT, into); ports++
	:: num == T_PARK && slot -> k_enter(O_PARKED + slot, into); slot = 0
	:: else -> into = GONE
	fi
}

/* server_trap(): TRAP_COUNTED, exactly once. */
inline OPERATION(num, into)
{
	if
	:: at < rend ->
#if !defined(M_NOT_SETTLED) && !defined(M_NO_INTENT)
		assert(r[at].kind == E_OPERATION && r[at].number == num && r[at].done);
#endif
		d_step { into = r[at].value; at++; PAGES() }
	:: else ->
#if !defined(M_NO_INTENT)
		APPEND(E_OPERATION, num, 0);
#endif
#if defined(M_OPERATION_COUNT_LATE)
		d_step { k_trap(num, into) };
		d_step { operations++; operation_result = into };
#elif defined(M_OPERATION_COUNT_EARLY)
		operations++;
		d_step { k_trap(num, into); operation_result = into };
#elif defined(M_FAILED_NOT_COUNTED)
		d_step { k_trap(num, into); if :: into != GONE -> operations++; operation_result = into :: else fi };
#else
		d_step { k_trap(num, into); operations++; operation_result = into };
#endif
#if defined(M_NO_INTENT)
		APPEND(E_OPERATION, num, 0);
#endif
#if defined(M_DONE_FIRST)
		r[rlast].done = true;
		r[rlast].value = into
#else
		r[rlast].value = into;
		r[rlast].done = true
#endif
	fi
}

/* The answer is in the call-reply page. */
inline call_answered(e, st, was_left)
{
#if defined(M_DONE_FIRST)
	d_step { r[e].done = true };
#endif
	d_step {
		r[e].left = was_left;
		if
		:: st -> r[e].value = st; r[e].right = 0
		:: else -> r[e].value = apage; r[e].right = aname
		fi
	};
	d_step { r[e].done = true }
}

/* client_call(): num 0 is refused before it leaves. */
inline CALL(num, arg, into, rt)
{
	/* The stub marshals. */
#if !defined(M_NO_SCRATCH)
	if :: scratch -> skip :: else -> spage = arg fi;
#else
	spage = arg;
#endif
	if
	:: at < rend ->
		assert(r[at].kind == E_CALL && r[at].number == num && r[at].argument == arg);
		if
		:: !r[at].done ->
			assert(outstanding);
#if defined(M_AWAIT_RESENDS)
			d_step { under_way == 0 -> under_way = 1; sent++; spage = arg };
#endif
			under_way == 0;			/* MSG_AWAIT */
			call_answered(at, status, true);
			outstanding = false
		:: else
		fi;
		d_step { into = r[at].value; rt = r[at].right; at++; PAGES() }
	:: else ->
#if !defined(M_NO_CALL_INTENT)
		APPEND(E_CALL, num, arg);
#endif
		x = sent;
		if
		:: num == 0 ->
			skip;				/* the trap fails: KERN_DEAD, no call has left */
			y = DEAD
		:: else ->
			d_step {
				assert(under_way == 0 && !asked[arg]);
				asked[spage] = true;
				under_way = 1;
				sent++
			};
			under_way == 0;
			y = status
		fi;
#if defined(M_NO_CALL_INTENT)
		APPEND(E_CALL, num, arg);
#endif
#if defined(HOLE_REFUSED)
		call_answered(rlast, y, true);
#else
		call_answered(rlast, y, x != sent);
#endif
		d_step { into = r[rlast].value; rt = r[rlast].right; x = 0; y = 0; at = rend; PAGES() }
	fi
}

/* Entries before the last of this kind that the kernel counted. */
inline count_done(k, into)
{
	j = 0; into = 0;
	do
	:: j < rend ->
#if defined(M_COUNT_ENTRIES)
		if :: r[j].done -> into++ :: else fi;
#else
		if :: r[j].kind == k && r[j].done && (k != E_CALL || r[j].left) -> into++ :: else fi;
#endif
		j++
	:: else -> break
	od;
	j = 0
}

#if defined(M_DROP_ALWAYS)
#define NOT_MADE true
#define NOT_SENT true
#elif defined(M_DROP_NEVER)
#define NOT_MADE false
#define NOT_SENT false
#else
#define NOT_MADE (operations == boperations + x)
#define NOT_SENT (sent == bsent + x)
#endif
#if defined(M_NOT_OUTSTANDING)
#define NOT_RECEIVED false
#else
#define NOT_RECEIVED (received == breceived + x)
#endif

/* results_recover() */
inline RECOVER_RESULTS()
{
#if defined(M_UNDO_RESULTS)
	d_step { forget_results() };
#endif
#if !defined(M_NOT_SETTLED)
	if
	:: rlast != NIL && rlast < rend && !r[rlast].done ->
		if
		:: r[rlast].kind == E_OPERATION ->
			d_step { count_done(E_OPERATION, x) };
			if
			:: NOT_MADE -> rend = rlast; rlast = NIL
			:: else -> r[rlast].value = operation_result; r[rlast].done = true
			fi
		:: else ->
			d_step { count_done(E_CALL, x) };
			if
			:: NOT_SENT -> rend = rlast; rlast = NIL
			:: !(NOT_SENT) && NOT_RECEIVED -> outstanding = true
			:: else -> call_answered(rlast, status, true)
			fi
		fi;
		x = 0
	:: else
	fi;
#endif
	d_step { at = 0; PAGES() }
}

/* What waits for the commit. */
inline QUEUE(k, name, val)
{
	d_step { assert(count < 7); ckind[count] = k; cname[count] = name; cvalue[count] = val; count++ }
}

/* The commit trap but for its receive. */
inline COMMIT()
{
#if defined(M_OPERATIONS_EARLY)
	d_step { k_operations(); k_forget() };
	d_step { k_reply(); commits[A]++; held[A] = false; rv = 0 }
#elif defined(M_OPERATIONS_LATE)
	d_step { k_reply(); commits[A]++; held[A] = false; rv = 0 };
	d_step { k_operations(); k_forget() }
#elif defined(M_COUNT_LATE)
	d_step { k_operations(); k_forget(); k_reply(); rv = 0 };
	d_step { commits[A]++; held[A] = false }
#elif defined(M_COUNT_EARLY)
	d_step { commits[A]++; held[A] = false };
	d_step { k_operations(); k_forget(); k_reply(); rv = 0 }
#elif defined(M_REPLY_EARLY)
	d_step { k_reply(); rv = 0 };
	d_step { k_operations(); k_forget(); commits[A]++; held[A] = false }
#elif defined(M_HELD_STAYS)
	d_step { k_operations(); k_forget(); k_reply(); commits[A]++; rv = 0 };
	held[A] = false
#else
	d_step { k_operations(); k_forget(); k_reply(); commits[A]++; held[A] = false; rv = 0 }
#endif
}

#if defined(M_ALWAYS_ROLL_BACK)
#define IN_TRANSACTION(s) (l[s].tag != NIL && held[s])
#elif defined(M_NEVER_ROLL_BACK)
#define IN_TRANSACTION(s) (false)
#else
#define IN_TRANSACTION(s) (l[s].tag == commits[s])
#endif
#if defined(M_HELD_BY_SLOT)
#define HELD (slot != 0)
#elif defined(M_HELD_ALWAYS)
#define HELD (rtype != 0)
#else
#define HELD (held[A])
#endif

/* Answers a parked caller, whose record is in the keep. */
#if defined(M_PARKED_REPLY_EARLY)
#define REPLY_PARKED(name, val) d_step { k_operation(C_REPLY, name, val) }
#else
#define REPLY_PARKED(name, val) QUEUE(C_REPLY, name, val)
#endif

/* ==================== server A ==================== */

active proctype ServerA()
{
	byte at, i, x, y, v, p, r1, r2, rv;	/* the incarnation */
	bool outstanding, scratch, lose;
	byte j;				/* of d_steps */
start:
	{
#if defined(HOLE_FIRST)
		if
		:: cold -> cold = false; goto loop		/* server_run() of the first incarnation */
		:: else
		fi;
#endif
		if
		:: IN_TRANSACTION(A) ->
#if !defined(M_GIVE_UP_NO_ROLL_BACK)
			ROLLBACK(A);
#else
			if :: flag :: else -> ROLLBACK(A) fi;
#endif
			RECOVER_RESULTS();
#if defined(M_KIND_LOST)
			kind = K_MESSAGE;
#endif
			if :: !give_up && flag -> give_up = EIO :: else fi;
			if
			:: give_up -> goto giving_up
			:: !give_up && kind -> goto execute
			:: else				/* TRANSACTION_NONE */
			fi
		:: else
		fi;
		if
		:: !HELD -> goto loop
		:: else ->
			if
			:: flag -> BEGIN_A(K_MESSAGE); give_up = EIO; goto giving_up
			:: else -> goto message
			fi
		fi;

loop:		/* Commit, and receive. */
#if defined(S_TIMER)
		if
		:: d[AM] ->			/* the time has come */
#if defined(M_TIMER_NO_COMMIT)
			skip;
#else
			COMMIT();
#endif
#if defined(M_TIMER_CLEARED_FIRST)
			d[AM] = 0;
#endif
			BEGIN_A(K_TIMER);
			goto execute
		:: !(d[AM] && late)
		fi;
#endif
		COMMIT();
#if defined(S_TIMER)
		if
		:: d_step { WORK -> k_deliver() }
		:: d[AM] -> late = true; goto loop	/* KERN_TIMED_OUT */
		fi;
#else
		d_step { WORK -> k_deliver() };
#endif
#if defined(M_HELD_LATE)
		held[A] = true;
#endif
message:
		if
		:: rtype == QUERY ->		/* no transaction */
			d_step {
				k_forget();
				assert(d[AX] % 2 == 0 && d[AX] / 2 + errors == WRITES);
				rv = 1
			};
#if defined(M_QUERY_STORES)
			d[AN]++;
#endif
			goto loop
		:: else
		fi;
		BEGIN_A(K_MESSAGE);

execute:
		if
		:: kind == K_TIMER ->
			late = false;
			STORE(A, AM, 0);
			STORE(A, AK, d[AK] + 1);
			QUEUE(C_OUT, 0, 0)

		:: kind == K_MESSAGE && rtype == READ ->
			if
			:: d[AH] < d[AT] ->
				rv = d[AD + d[AH]];
				STORE(A, AH, d[AH] + 1);
#if defined(S_WINDOW)
				if
				:: d[AM] -> p = d[AM]; STORE(A, AM, 0); REPLY_PARKED(p, 7)
				:: else
				fi
#endif
			:: else ->
#if defined(S_WINDOW)
				rv = EINTR
#else
#if defined(M_PARK_UNCOUNTED)
				d_step { k_trap(T_PARK, p) };
#elif defined(M_PARK_NOT_LOGGED)
				p = next;
				STORE(A, AP, p);
				d_step { k_trap(T_PARK, p) };
#else
				OPERATION(T_PARK, p);
#endif
				if
				:: p != GONE -> STORE(A, AP, p); STORE(A, AR, rarg)
				:: else -> rv = EINTR	/* nobody is there */
				fi
#endif
			fi

		:: kind == K_MESSAGE && rtype == WRITE ->
#if defined(S_WINDOW)
			/* The first half: from the reply slot into memory of this incarnation (a stack, or bytes that a roll back erases). */
			d_step {
				y = (slot == W && !gone[W]);	/* the copy succeeds */
#if !defined(HOLE_WINDOW)
				/* Executed again after the call was parked: it is there. */
				if
				:: !y && !gone[W] && at + 1 < rend && r[at + 1].value < NAMES -> y = (object[r[at + 1].value] == O_PARKED + W)
				:: else
				fi;
#endif
				v = (y -> 7 : 9)		/* the bytes; 9: whatever lay there */
			};
			if
			:: at < rend ->
#if !defined(HOLE_WINDOW_DEAD) && !defined(HOLE_WINDOW)
				if
				:: r[at].value && !y -> give_up = EIO; goto die	/* the bytes are lost */
				:: else
				fi;
#endif
				d_step { assert(r[at].kind == E_WINDOW); y = r[at].value; at++; PAGES() }
			:: else ->
				d_step { rlast = rend; r[rend].kind = E_WINDOW; r[rend].value = y; r[rend].done = true };
				d_step { rend++; at = rend }
			fi;
			if
			:: y ->
				STORE(A, AD + d[AT], v);
				v = 0;
				OPERATION(T_PARK, p);
				STORE(A, AT, d[AT] + 1);
				if
				:: p != GONE -> STORE(A, AM, p)
				:: else -> rv = EINTR
				fi
			:: else -> rv = EINTR
			fi;
			QUEUE(C_RELEASE, rname, rarg)
#else
			assert(object[rname] == O_REQUEST);
#if defined(S_CALLS) || defined(S_NOTES) || defined(S_GIVE_UP)
			SAMPLE(v);
#endif
			STORE(A, AX, d[AX] + 1);
#if defined(S_CALLS)
#if !defined(NO_REFUSAL)
			CALL(0, 0, p, r2);
			assert(p == DEAD);
#endif
#endif
#if defined(S_CALLS) || defined(S_NOTES) || defined(S_GIVE_UP)
			CALL(1, rarg * 4 + v, p, r1);
			assert(p == rarg * 4 + v);
			STORE(A, AS, d[AS] + v);
#endif
#if defined(S_CALLS) && !defined(NO_REFUSAL)
			OPERATION(T_FAILS, p);
			assert(p == GONE);
#endif
#if defined(S_CALLS) || defined(S_GIVE_UP)
			OPERATION(T_PORT, p);
			assert(object[p] == O_PORT);
			if :: d[AO] -> QUEUE(C_RELEASE, d[AO], 0) :: else fi;
			STORE(A, AO, p);
#endif
#if defined(S_GIVE_UP)
			if
			:: !abandoned -> abandoned = true; give_up = EIO; goto die	/* transaction_abandon() */
			:: true
			fi;
#endif
#if defined(S_CALLS)
			CALL(2, rarg * 4 + 2, p, r2);
			assert(p == rarg * 4 + 2);
#endif
			STORE(A, AX, d[AX] + 1);
			v = rarg * 2 + v;		/* the item */
#if defined(S_PARK)
			if
			:: d[AP] -> p = d[AP]; STORE(A, AP, 0); REPLY_PARKED(p, v)
			:: else ->
				STORE(A, AD + d[AT], v);
				STORE(A, AT, d[AT] + 1)
			fi;
#endif
#if defined(M_RELEASE_EARLY)
			d_step { k_operation(C_RELEASE, rname, rarg) };
#else
			QUEUE(C_RELEASE, rname, rarg);
#endif
			if :: r1 -> QUEUE(C_RELEASE, r1, 0) :: else fi;
			if :: r2 -> QUEUE(C_RELEASE, r2, 0) :: else fi;
#if defined(M_OUT_EARLY)
			out[rarg]++;
#else
			QUEUE(C_OUT, 0, rarg);
#endif
#if defined(S_TIMER)
			STORE(A, AM, 1);
#endif
			rv = v
#endif

		:: kind == K_MESSAGE && rtype == QUERY ->	/* was to be given up, and is executed after all */
			rv = 1

		:: kind == K_MESSAGE && rtype == NOTE ->
			STORE(A, AN, d[AN] + 1)

		:: kind == K_MESSAGE && rtype == CANCEL ->
			if
			:: d[AP] && d[AR] == rarg -> p = d[AP]; STORE(A, AP, 0); REPLY_PARKED(p, EINTR)
			:: else
			fi
		fi;
		d_step { v = 0; p = 0; r1 = 0; r2 = 0; y = 0 };
		goto loop;

giving_up:	/* Rolled back. What the transaction made goes, and an error is the answer. */
#if !defined(M_GIVE_UP_NO_AWAIT)
		if
		:: outstanding ->
			under_way == 0;
			call_answered(rlast, status, true);
			outstanding = false
		:: else
		fi;
#endif
		i = 0;
		do
		:: i < rend ->
			if
#if !defined(M_GIVE_UP_NO_INVERSE)
			:: r[i].kind == E_OPERATION && r[i].number == T_PORT ->
#if defined(M_GIVE_UP_INVERSE_EARLY)
				d_step { k_operation(C_RELEASE, r[i].value, 0) }
#else
				QUEUE(C_RELEASE, r[i].value, 0)
#endif
#endif
#if !defined(M_GIVE_UP_PARKED_LOST)
			:: r[i].kind == E_OPERATION && r[i].number == T_PARK && r[i].value != GONE ->
				REPLY_PARKED(r[i].value, EIO)
#endif
#if !defined(M_GIVE_UP_RIGHTS_LOST)
			:: r[i].kind == E_CALL && r[i].right -> QUEUE(C_RELEASE, r[i].right, 0)
#endif
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0;
		if
		:: kind == K_TIMER -> STORE(A, AM, 1)		/* later */
		:: kind == K_MESSAGE && rtype == NOTE -> lose = true
		:: kind == K_MESSAGE && rtype == CANCEL -> skip
		:: else ->
#if !defined(M_GIVE_UP_NO_REJECT)
			if :: rname -> QUEUE(C_RELEASE, rname, rarg) :: else fi;
#endif
			rv = EIO
		fi;
		d_step { at = rend; PAGES() };
		goto loop;

die:		skip;				/* the incarnation ends itself */
		d_step { crash[A] = true };
		false
	} unless {
		d_step {
			crash[A] -> crash[A] = false; at = 0; i = 0; x = 0; y = 0; v = 0; p = 0; r1 = 0; r2 = 0; rv = 0; outstanding = false;
			scratch = false; lose = false;
#if !defined(M_QUEUE_KEPT)
			k_forget();
#endif
#if defined(M_CALL_DIES)
			if :: under_way == 1 -> under_way = 0; received++; status = DEAD :: else fi;
#endif
#if defined(M_ANSWER_LOST)
			apage = 0; aname = 0;
#endif
#if defined(M_RESULT_LOST)
			operation_result = 0;
#endif
#if defined(M_SLOT_LOST)
			if :: slot -> k_answer(slot, EIO); slot = 0 :: else fi;
#endif
			j = 0
		}
	};
	goto start
}

/* ==================== server B: calls and no result log ==================== */

#if defined(S_CALLS) || defined(S_NOTES) || defined(S_GIVE_UP)
active proctype ServerB()
{
	byte i, x, j;
start:
	{
		if
		:: IN_TRANSACTION(B) -> ROLLBACK(B); goto execute
		:: else
		fi;
		if
		:: held[B] -> skip
		:: else -> d_step { under_way == 1 -> under_way = 2; brequest = spage; held[B] = true }
		fi;
		d_step { forget_undo(B) };
		l[B].tag = commits[B];
execute:
		assert(asked[brequest]);
		STORE(B, BX, d[BX] + 1);
		STORE(B, BS, d[BS] + brequest % 2);
		d_step {
#if defined(S_NOTES)
			bits = true;
#endif
			assert(under_way == 2);
			under_way = 0; apage = brequest; aname = 0;
			if :: brequest % 4 < 2 -> k_enter(O_ANSWER, aname); rights++ :: else fi;
#if defined(M_ANSWER_IN_REQUEST)
			rtype = 0; rarg = brequest;
#endif
#if !defined(M_RECEIVED_LATE)
			received++;
#endif
			status = 0;
			commits[B]++; held[B] = false; brequest = 0
		};
#if defined(M_RECEIVED_LATE)
		received++;
#endif
		goto start
	} unless {
		d_step { crash[B] -> crash[B] = false; i = 0; x = 0; j = 0 }
	};
	goto start
}
#define B_IS_THERE
#endif

/* ==================== clients, adversary, final check ==================== */

active proctype Writer()
{
	byte n;
	do
	:: n < WRITES ->
		d_step { n++; q[A]!WRITE, W, n; waiting[W] = true };
		d_step { !waiting[W] -> wrote[n] = ans[W]; if :: wrote[n] == EIO -> errors++ :: else fi }
	:: else -> break
	od;
#if !defined(S_WINDOW)
	skip;
	d_step { q[A]!QUERY, W, 0; waiting[W] = true };
	!waiting[W];
#endif
	done++
}

#if defined(S_PARK) || defined(S_WINDOW)
#define READERS 1
active proctype Reader()
{
	byte n;
#if defined(S_WINDOW)
	gone[W] || (d[AM] && l[A].tag != commits[A]);
#endif
	do
	:: n < READS && !gone[R] ->
		d_step { n++; q[A]!READ, R, n; request = n; waiting[R] = true };
		d_step { !waiting[R] -> if :: !gone[R] -> got[n] = ans[R] :: else fi; request = 0 }
	:: else -> break
	od;
	done++
}
#else
#define READERS 0
#endif

#if defined(S_CANCEL)
/* A signal, or SIGKILL, while the reader waits. */
active proctype Interrupter()
{
	if
	:: d_step {
		waiting[R] ->
		if
		:: q[A]??[READ, R, eval(request)] -> q[A]??READ, R, eval(request); ans[R] = EINTR; waiting[R] = false
		:: else ->
			cancelled = request; posted = request
#if defined(M_CANCEL_ANSWERS)
			; ans[R] = EINTR; waiting[R] = false
#endif
		fi
	   }
	:: d_step {
		waiting[R] -> gone[R] = true; waiting[R] = false;
		if
		:: q[A]??[READ, R, eval(request)] -> q[A]??READ, R, eval(request)
		:: else -> cancelled = request; if :: slot == R -> slot = 0 :: else fi
		fi
	   }
	:: true
	fi
}
#endif

#if defined(S_WINDOW) && defined(S_CANCEL_WRITER)
active proctype Killer()
{
	if
	:: d_step {
		waiting[W] -> gone[W] = true; waiting[W] = false;
		if
		:: q[A]??[WRITE, W, 1] -> q[A]??WRITE, W, 1
		:: else -> if :: slot == W -> slot = 0 :: else fi
		fi
	   }
	:: true
	fi
}
#endif

active proctype Adversary()
{
	byte n;
	do
	:: n < CRASHES && !crash[A] -> d_step { crash[A] = true; flag = false; n++ }
#if defined(S_GIVE_UP)
	:: n < CRASHES && !crash[A] -> d_step { crash[A] = true; flag = true; n++ }
#endif
#if defined(B_IS_THERE)
	:: n < CRASHES && !crash[B] -> d_step { crash[B] = true; n++ }
#endif
	:: break
	od
}

active proctype Monitor()
{
	byte j, n;
	timeout ->
	d_step {
		/* Or the reader waits, rightly: nobody writes any more. */
		assert(done == 1 + READERS || (done == 1 && (errors || READS > WRITES) && d[AP] && waiting[R]));
		assert(!waiting[R] || request != posted);
		assert(empty(q[A]) && !bits && !cancelled && !held[A] && !held[B] && !slot);
		assert(sent == received && !under_way);
		j = 1;
		do
		:: j < NAMES -> n = n + (object[j] != 0); j++
		:: else -> break
		od;
		assert(n == (d[AO] != 0) + (d[AP] != 0));	/* no right is left over */
		assert(!d[AO] || object[d[AO]] == O_PORT);
#if defined(S_WINDOW)
		assert(freed[1] == 1 || (gone[W] && freed[1] == 0));
		assert(got[1] == 7 || (gone[W] && got[1] == EINTR));
		assert(gone[W] || wrote[1] == 7);
		assert(!d[AM])
#else
		j = 1;
		do
		:: j <= WRITES ->
			assert(freed[j] == 1);
			if
			:: wrote[j] == EIO -> assert(out[j] == 0)
			:: else -> assert(wrote[j] / 2 == j && out[j] == 1)
			fi;
			j++
		:: else -> break
		od;
		assert(d[AX] == 2 * (WRITES - errors));
		assert(d[AN] + lost == told);
#if !defined(S_GIVE_UP)
		assert(!errors && (done == 1 + READERS || READS > WRITES));
		assert(d[AS] == d[BS]);
#if defined(S_CALLS)
		assert(ports == WRITES && d[BX] == 2 * WRITES && rights == WRITES);
#endif
#if defined(S_NOTES)
		assert(told > 0 && told <= d[BX]);
#if !defined(S_CALLS)
		assert(d[BX] == WRITES);
#endif
#endif
#endif
#if defined(S_TIMER)
		assert(!d[AM] && (d[AK] > 0 || errors == WRITES) && d[AK] <= WRITES && out[0] == d[AK]);
#endif
#if defined(S_PARK)
		/* What was written is what was read, in order; who was interrupted or killed took what he was answered. */
		j = 1; n = 1;
		do
		:: j <= READS ->
			if
			:: got[j] == 0 || got[j] >= EIO
			:: else ->
				do :: n < WRITES && wrote[n] == EIO -> n++ :: n < WRITES && gone[R] && got[j] != wrote[n] -> n++ :: else -> break od;
				assert(got[j] == wrote[n]); n++
			fi;
			j++
		:: else -> break
		od
#endif
#endif
	}
}
