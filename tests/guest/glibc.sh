# Dynamically linked glibc programs of Debian: dash, bash and coreutils, compared with Linux (see checks.sh for the form).
export LC_ALL=C PATH=/deb/bin:/bin TZ=UTC HOME=/root
rm -rf /tmp/g
mkdir -p /tmp/g
cd /tmp/g
check() {
	echo "== $1"
	shift
	"$@" 2>&1 < /dev/null
	printf '\n-- status %d\n' $?
}
check dash /deb/dash -c 'echo dash $((6*7)); for i in 1 2 3; do echo $i | cat; done; exit 3'
check bash /deb/bash -c 'a=(x y z); echo ${a[1]} ${#a[@]} ${BASH_VERSINFO[0]}; [[ abc =~ b(.) ]] && echo ${BASH_REMATCH[1]}; echo {1..5}'
check bash-process-substitution /deb/bash -c 'diff <(echo a) <(echo a) && cat <(seq 3)'
check bash-coproc /deb/bash -c 'coproc cat; echo hi >&${COPROC[1]}; read -u ${COPROC[0]} l; echo $l'
check bash-jobs /deb/bash -c 'set -m; sleep 0.2 & wait %1; echo $?; (exit 4) & wait $!; echo $?; kill -l 15'
check bash-trap /deb/bash -c 'trap "echo got" USR1; kill -USR1 $$; trap "echo exit" EXIT; printf "%(%Y)T\n" 0'
check bash-here /deb/bash -c 'cat <<< "here string"; read -t 0.1 x < /dev/zero; echo $?; mapfile -t l < <(seq 3); echo ${l[2]}'
check ls /deb/bin/ls -la --time-style=+ /etc/passwd
check ls-directory /deb/bash -c 'mkdir d; touch d/{a,b,c}; ls d; ls -1U d | sort; ls --color=always -d d; ls nonexist'
check cp-mv /deb/bash -c 'echo data > f; cp f g; cp -a f h; mv g i; cat i h; cp --reflink=auto f j; cmp f j; rm f h i j; ls'
check sort /deb/bash -c 'seq 1 5000 | shuf --random-source=/bin/busybox | sort -n | md5sum; seq 10 | sort -R | wc -l'
check sort-parallel /deb/bash -c 'seq 1 50000 | sort -rn --parallel=4 | head -n 1'
check text /deb/bash -c 'printf "b a\n" | tac -s " "; echo abc | rev 2>/dev/null; seq 5 | paste -sd+; echo hello | tr a-y b-z; nl < /etc/hostname; fmt -w 10 <<< "aa bb cc dd ee"; seq 20 | pr -3t -l7 | head -n 3'
check sums /deb/bash -c 'echo x | sha256sum; echo x | b2sum; echo x | cksum; echo x | sum; echo abc | base32; echo x | od -An -tx1'
check dd-split /deb/bash -c 'dd if=/dev/zero bs=1k count=100 status=none | split -b 30k - s; ls s*; cat s* | wc -c; truncate -s 5K t; stat -c %s t; tail -c 3 /etc/hostname'
check stat-date /deb/bash -c 'touch -d @86400 f; stat -c "%y %a %F" f; date -u -d @0 +%F; date -d "2024-02-29 +1 day" +%F'
check links /deb/bash -c 'ln -s x y; readlink y; ln /etc/hostname hh 2>/dev/null; realpath -m a/../b; mktemp -u xxxx | wc -c; mkfifo p; stat -c %F p; rm -f y p hh'
check env-id /deb/bash -c 'env -i A=b env; id -u; whoami; groups; nproc | grep -c .; uname -m; tty; pwd; expr 3 \* 4; factor 97; seq -w 8 11'
check timeout-kill /deb/bash -c 'timeout 0.2 sleep 9; echo $?; { timeout -s KILL .2 sleep 9; } 2> /dev/null; echo $?; nice -n 3 nice; kill -0 $$ && echo alive; sleep 0.01'
check install-tee /deb/bash -c 'install -m 750 -D /etc/hostname a/b/c; stat -c %a a/b/c; echo t | tee x y | cat; df / > /dev/null; du -s --apparent-size a/b/c | cut -f1; sync; mkdir -p q/w; rmdir -p q/w; chmod u=rw,go= x; stat -c %A x'
check pipeline /deb/bash -c 'seq 100000 | cat | head -n 70000 | tail -n 1; yes | head -c 100000 | wc -c'
