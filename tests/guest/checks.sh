# What busybox must do alike on Portico and on Linux: run by the same busybox on both, the outputs compared check by check.
#
#   sh checks.sh [PATTERN]      prints, for each check: "== name", its output (both streams), "-- status N"
#
# A check is a script of its own, run in an empty scratch directory. It may not print what differs between two correct
# systems: process ids, times, sizes of directories, inode numbers.
pattern=${1:-.}
top=${SCRATCH:-/tmp/checks}
rm -rf "$top"
mkdir -p "$top"
export LC_ALL=C TZ=UTC HOME=/root PATH=/bin:/sbin
umask 022

check() {
	body=$(cat)
	case $1 in
	$pattern* | *$pattern*) ;;
	*) [ "$pattern" = . ] || return 0 ;;
	esac
	mkdir "$top/$1"
	echo "== $1"
	(cd "$top/$1" && exec sh -c "$body") 2>&1 < /dev/null
	printf '\n-- status %d\n' $?
	cd /
}

### sh: the language
check sh-echo <<'E'
echo hello world; echo -n no newline; echo; printf '%s-%d-%x\n' a 42 255
E
check sh-exit-code <<'E'
false; echo $?; true; echo $?; sh -c 'exit 7'; echo $?; exit 3
E
check sh-pipeline <<'E'
echo one two three | tr ' ' '\n' | sort -r | head -n 2
E
check sh-pipeline-status <<'E'
true | false; echo $?; false | true; echo $?; ! false; echo $?
E
check sh-long-pipeline <<'E'
seq 1 1000 | cat | cat | cat | cat | cat | cat | cat | tail -n 1
E
check sh-pipefail <<'E'
set -o pipefail; false | true; echo $?
E
check sh-here-document <<'E'
x=value
cat <<A
line $x $(echo sub)
A
cat <<'A'
line $x $(echo sub)
A
cat <<-A
	tabs gone
	A
E
check sh-here-document-large <<'E'
{ echo 'cat <<EOT'; seq 1 20000; echo EOT; } > s.sh; sh s.sh | md5sum
E
check sh-command-substitution <<'E'
a=$(echo a; echo b); echo "$a"; echo `echo old style`; echo $(echo $(echo nested))
E
check sh-substitution-status <<'E'
x=$(exit 5); echo $?; y=$(false) || echo failed
E
check sh-subshell <<'E'
x=1; (x=2; echo in $x; exit 4); echo $? out $x
E
check sh-group <<'E'
{ echo a; echo b; } | wc -l; { echo c; } > f; cat f
E
check sh-parameters <<'E'
set -- a 'b c' d; echo $# "$1" "$2"; shift; echo "$@"; echo "$*"; for i; do echo "<$i>"; done
E
check sh-expansion <<'E'
v=path/to/file.tar.gz; echo ${v##*/} ${v%%.*} ${v%.gz} ${v#*/} ${#v}; echo ${unset:-default} ${unset-d2}; : ${w:=assigned}; echo $w; echo ${v:+alt}
E
check sh-expansion-error <<'E'
echo ${nothing:?is not set}
echo not reached
E
check sh-arithmetic <<'E'
echo $((1+2*3)) $((10/3)) $((10%3)) $((1<<10)) $((0x1f)) $((5>3&&2>1)); i=5; echo $((i++)) $i $((--i)) $((i*=3)); echo $((7/0)); echo after $?
E
check sh-case <<'E'
for w in apple bat cat dog; do case $w in a*) echo A;; [bc]at) echo "B or C";; *) echo other;; esac; done
E
check sh-loops <<'E'
i=0; while [ $i -lt 5 ]; do i=$((i+1)); [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done; until [ $i -le 0 ]; do i=$((i-1)); done; echo $i
E
check sh-functions <<'E'
f() { local x=inner; echo "$1 $x"; return 9; }; x=outer; f arg; echo $? $x
fact() { [ $1 -le 1 ] && echo 1 || echo $(($1 * $(fact $(($1 - 1))))); }; fact 6
E
check sh-redirect <<'E'
echo out > f; echo more >> f; cat < f; ls nonexistent 2> err; echo $?; cat err; { echo o; echo e >&2; } > both 2>&1; cat both
E
check sh-redirect-descriptors <<'E'
exec 3> f; echo three >&3; exec 3>&-; cat f; exec 4< f; read x <&4; echo "got $x"; exec 4<&-; echo bad >&4; echo $?
E
check sh-redirect-clobber <<'E'
echo a > f; set -C; echo b > f; echo $?; echo c >| f; cat f
E
check sh-redirect-readwrite <<'E'
echo abcdef > f; exec 3<> f; printf XY >&3; exec 3>&-; cat f
E
check sh-redirect-order <<'E'
(echo out; echo err >&2) 2>&1 >/dev/null | sed 's/^/piped: /'
E
check sh-redirect-missing <<'E'
cat < /nonexistent/file; echo $?; echo x > /nonexistent/file; echo $?
E
check sh-glob <<'E'
touch a.c b.c c.h .hidden 'with space.c'; echo *.c; echo [ab].?; echo *; echo .h*; echo *.none; echo "*.c"; for f in *.c; do echo "[$f]"; done
E
check sh-glob-directories <<'E'
mkdir -p d1/e d2/e; touch d1/e/f d2/e/f d2/e/g; echo d*/e/*; echo */; cd d2; echo */../e/f
E
check sh-trap-exit <<'E'
trap 'echo bye $?' EXIT; echo working; exit 5
E
check sh-trap-signal <<'E'
trap 'echo got TERM' TERM; kill -TERM $$; echo after; trap - TERM; trap '' TERM; kill -TERM $$; echo ignored
E
check sh-trap-int-child <<'E'
sh -c 'kill -INT $$; echo not reached'; echo $?
E
check sh-trap-usr <<'E'
n=0; trap 'n=$((n+1))' USR1; kill -USR1 $$; kill -USR1 $$; kill -USR1 $$; echo $n
E
check sh-trap-wait <<'E'
trap 'echo usr2' USR2; (sleep 0.2; kill -USR2 $$) & wait $!; s=$?; [ $s -gt 128 ] && echo interrupted; wait; echo done
E
check sh-background <<'E'
(sleep 0.1; echo second) & echo first; wait; echo third
E
check sh-background-status <<'E'
sh -c 'exit 3' & a=$!; sh -c 'exit 4' & b=$!; wait $a; echo $?; wait $b; echo $?; wait 99999; echo $?
E
check sh-background-many <<'E'
for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.0$i; echo $i > f$i) & done; wait; cat f* | sort -n | tr '\n' ' '
E
check sh-jobs <<'E'
sleep 5 & jobs | sed 's/ [0-9][0-9]* / /'; kill $!; wait $! 2>/dev/null; echo $?
E
check sh-kill-status <<'E'
# Whether ash says "Killed" depends on which of its calls sees the death first.
exec 2> /dev/null
sleep 10 & kill -9 $!; wait $!; echo $?; sleep 10 & kill $!; wait $!; echo $?; sleep 10 & kill -HUP $!; wait $!; echo $?
E
check sh-not-found <<'E'
nosuchcommand; echo $?; ./nosuchfile; echo $?; touch plain; ./plain; echo $?; mkdir dir; ./dir; echo $?
E
check sh-script-interpreter <<'E'
printf '#!/bin/sh\necho "script $0 $@"\n' > s; chmod +x s; ./s a b; printf '#!/bin/cat\nline\n' > c; chmod +x c; ./c; printf '#!/no/such\n' > n; chmod +x n; ./n; echo $?
E
check sh-script-argument <<'E'
printf '#!/bin/grep second\nsecond line\nthird\n' > s; chmod +x s; ./s; printf '#!./inner x y\n' > o; printf '#!/bin/echo\n' > inner; chmod +x o inner; ./o z
E
check sh-script-plain <<'E'
echo 'echo plain script $1' > s; chmod +x s; ./s arg; sh s arg2; . ./s sourced
E
check sh-exec <<'E'
sh -c 'exec echo replaced; echo no'; (exec 5>f; echo x >&5; cat f); exec sh -c 'echo last $0' name
E
check sh-environment <<'E'
A=1 sh -c 'echo $A'; export B=2; sh -c 'echo $B'; unset B; sh -c 'echo [$B]'; env -i X=y sh -c 'echo $X; env | sort | grep -v -e PWD -e SHLVL -e ^_='
E
check sh-read <<'E'
echo 'a b c d' | { read x y z; echo "$x|$y|$z"; }; printf 'l1\nl2\nl3' | while read l; do echo "<$l>"; done; echo 'a\tb' | { read -r r; echo "$r"; }
E
check sh-read-ifs <<'E'
echo a:b:c | { IFS=: read x y z; echo $z $y $x; }; IFS=,; set -- $(echo 1,2,3); echo $#
E
check sh-getopts <<'E'
set -- -a -b val rest; while getopts ab: o; do echo "$o $OPTARG"; done; shift $((OPTIND-1)); echo $1
E
check sh-set-e <<'E'
sh -ec 'echo a; false; echo b'; echo $?; sh -uc 'echo $undefined'; echo $?; sh -xc 'echo traced'
E
check sh-eval-quote <<'E'
x='echo "quoted  spaces"'; eval "$x"; echo 'single'"double"\ esc; echo "a\$b\`c\\d"
E
check sh-and-or <<'E'
true && echo yes || echo no; false && echo yes || echo no; (exit 2) || echo $?
E
check sh-test <<'E'
touch e; echo x > n; mkdir d; ln -s e l; ln -s no b; for t in '-e e' '-s e' '-s n' '-d d' '-f e' '-h l' '-e b' '-L b' '-r n' '-x n' '-w n'; do [ $t ] && echo "$t yes" || echo "$t no"; done; [ n -nt e ]; [ 5 -gt 3 -a 2 -lt 1 ] || echo and; [ a '<' b ] && echo less
E
check sh-cd <<'E'
mkdir -p a/b; cd a/b; pwd | sed 's,.*/sh-cd,,'; cd ..; pwd | sed 's,.*/sh-cd,,'; cd - > /dev/null; pwd | sed 's,.*/sh-cd,,'; cd /nonexistent; echo $?; ln -s a/b ../../s; cd ../../s; pwd | sed 's,.*/sh-cd,,'; pwd -P | sed 's,.*/sh-cd,,'
E
check sh-umask <<'E'
umask; umask 077; touch f; stat -c %a f; mkdir d; stat -c %a d; umask 022; umask -S
E
check sh-ulimit <<'E'
ulimit -n 20; ulimit -n; sh -c 'ulimit -n'
E
check sh-command <<'E'
command -v echo; command -v cat; type cd; command -v nosuch; echo $?; hash -r; alias ll='ls -l'; alias ll
E
check sh-sigpipe <<'E'
yes | head -n 3; seq 1 1000000 | head -n 1
E
check sh-sigpipe-status <<'E'
(set -o pipefail; yes | head -n 1 > /dev/null; echo $?)
E
check sh-deep-recursion <<'E'
f() { [ $1 = 0 ] && echo bottom || f $(($1-1)); }; f 500
E
check sh-many-arguments <<'E'
set -- $(seq 1 5000); echo $#; echo "$@" | wc -c; /bin/echo "$@" | md5sum
E
check sh-argument-list-too-long <<'E'
x=$(dd if=/dev/zero bs=1024 count=200 2>/dev/null | tr '\0' x); /bin/echo "$x" > /dev/null; echo $?
E
check sh-many-forks <<'E'
i=0; while [ $i -lt 100 ]; do (exit $((i % 3))); s=$((s + $?)); i=$((i+1)); done; echo $s
E
check sh-nested-shells <<'E'
sh -c 'sh -c "sh -c \"echo deep \$((1+1)); exit 6\""; echo $?'
E
check sh-closed-stdin <<'E'
cat <&-; echo $?; echo x | cat; (exec 0<&-; read x; echo $?)
E
check sh-closed-stdout <<'E'
(echo lost >&-) 2>/dev/null; echo $?
E

### directories and links
check ls-plain <<'E'
touch b a c; mkdir d; ls; ls -a; ls -1 -r; ls -F; ls -d d; ls nonexistent; echo $?
E
check ls-long <<'E'
touch a; chmod 640 a; mkdir d; ln -s a l; mkfifo p; ls -l | awk '{print $1,$2,$3,$4,$9,$10,$11}' | grep -v total; ls -ln a | awk '{print $3,$4,$5}'
E
check ls-sort <<'E'
touch -d '2020-01-01 00:00:00' old; touch -d '2021-01-01 00:00:00' new; echo longer > big; touch -d '2019-05-05 10:10:10' big; ls -t; ls -tr; ls -S; ls -l old | awk '{print $6,$7,$8}'
E
check ls-recursive <<'E'
mkdir -p a/b/c; touch a/1 a/b/2 a/b/c/3; ls -R
E
check cp-file <<'E'
echo data > a; cp a b; cat b; cp a nonexist/; echo $?; mkdir d; cp a b d; ls d; cp a a; echo $?
E
check cp-recursive <<'E'
mkdir -p s/t; echo 1 > s/1; echo 2 > s/t/2; ln -s 1 s/l; cp -r s r; cat r/1 r/t/2 r/l; cp -a s p; readlink p/l; cp s x; echo $?; diff -r s p && echo same
E
check cp-preserve <<'E'
echo x > a; chmod 604 a; touch -d '2001-02-03 04:05:06' a; cp -p a b; stat -c '%a %Y' b; cp a c; stat -c %a c
E
check cp-links <<'E'
echo x > a; cp -l a h; stat -c %h a; cp -s a s; readlink s; ln -s a l; cp -P l m; readlink m; cp -L l n; [ -h n ] || echo file
E
check cp-large <<'E'
dd if=/dev/zero bs=65536 count=64 2>/dev/null | tr '\0' 'q' > a; cp a b; cmp a b && wc -c < b; md5sum < b
E
check mv-file <<'E'
echo 1 > a; mv a b; ls; echo 2 > c; mv c b; cat b; mkdir d; mv b d; ls d; mv nonexist x; echo $?; mv -n d/b d/c; ls d
E
check mv-directory <<'E'
mkdir -p a/b c; touch a/b/f; mv a c; ls c/a/b; mv c c/a 2>&1; echo $?; mkdir e; touch e/x; mkdir -p f/e; touch f/e/y; mv e f; echo $?
E
check rm-plain <<'E'
touch a b c; rm a; ls; rm nonexist; echo $?; rm -f nonexist; echo $?; mkdir d; rm d; echo $?; rm -r d; ls
E
check rm-recursive <<'E'
mkdir -p a/b/c/d; touch a/1 a/b/2 a/b/c/3; ln -s /etc a/l; rm -rf a; ls; ls -d /etc
E
check rm-many <<'E'
seq 1 500 | xargs touch; ls | wc -l; rm *; ls | wc -l
E
check rm-open-file <<'E'
echo content > f; exec 3< f; rm f; cat <&3; ls
E
check ln-hard <<'E'
echo x > a; ln a b; stat -c %h a b; echo y >> b; cat a; rm a; cat b; stat -c %h b; ln nonexist c; echo $?; mkdir d; ln d e; echo $?
E
check ln-symbolic <<'E'
ln -s target l; readlink l; cat l; echo $?; echo now > target; cat l; ln -s x l; echo $?; ln -sf other l; readlink l; ln -s d/../target m; cat m; mkdir d; cat m
E
check ln-loop <<'E'
ln -s b a; ln -s a b; cat a; echo $?; ls -L a; stat -c %N a; cd a; echo $?
E
check ln-deep <<'E'
echo end > l0; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do ln -s l$((i-1)) l$i; done; cat l20
E
check mkdir-plain <<'E'
mkdir a; mkdir a; echo $?; mkdir -p a/b/c x/y; ls -d a/b/c x/y; mkdir n/o; echo $?; mkdir -m 700 m; stat -c %a m; mkdir -p a; echo $?
E
check rmdir-plain <<'E'
mkdir -p a/b; rmdir a; echo $?; rmdir a/b a; ls; touch f; rmdir f; echo $?; rmdir none; echo $?; mkdir -p p/q/r; rmdir -p p/q/r; ls
E
check chmod-octal <<'E'
touch f; for m in 644 755 000 4755 2644 1777 7777; do chmod $m f; stat -c %a f; done; chmod 999 f; echo $?; chmod 644 none; echo $?
E
check chmod-symbolic <<'E'
touch f; chmod 600 f; chmod u+x f; stat -c %A f; chmod go=r f; stat -c %A f; chmod a-r f; stat -c %A f; chmod u=rwx,g=rx,o= f; stat -c %A f; chmod +t,u+s f; stat -c %A f
E
check chmod-recursive <<'E'
mkdir -p d/e; touch d/f d/e/g; chmod -R 700 d; find d | sort | xargs stat -c '%a %n'
E
check chown-plain <<'E'
touch f; chown 1000 f; stat -c '%u %g' f; chown 5:6 f; stat -c '%u %g' f; chown :7 f; stat -c '%u %g' f; chgrp 8 f; stat -c %g f; chown user:user f; stat -c '%U %G' f; chmod 6755 f; chown 0:0 f; stat -c %a f
E
check touch-times <<'E'
touch -d '2010-06-15 12:30:45' f; stat -c '%Y %X' f; touch -c none; ls; touch -r f g; stat -c %Y g; touch -t 200001020304.05 h; stat -c %Y h
E
check stat-format <<'E'
printf 12345 > f; stat -c '%s %F %a %h %U %G' f; mkdir d; stat -c '%F %a' d; ln -s f l; stat -c '%F %s' l; stat -L -c '%F %s' l; mkfifo p; stat -c %F p; stat -c '%F %t %T' /dev/null; stat none; echo $?
E
check stat-blocks <<'E'
dd if=/dev/zero of=f bs=4096 count=3 2>/dev/null; stat -c '%s %b %B' f; stat -c '%o' f
E
check find-basic <<'E'
mkdir -p a/b c; touch a/1.c a/b/2.c c/3.h; find . | sort; find . -name '*.c' | sort; find . -type d | sort; find . -maxdepth 1 | sort; find none; echo $?
E
check find-tests <<'E'
touch e; echo data > d; mkdir dir; ln -s d l; find . -size 0 -type f; find . -type l; find . -empty | sort; chmod 600 d; find . -perm 600; find . -newer e -type f; touch -d 2000-01-01 old; find . -mtime +100; find . ! -name 'd*' -type f | sort
E
check find-exec <<'E'
touch a b c; find . -type f -exec echo found {} \; | sort; find . -type f -exec ls {} + | sort; find . -name a -exec rm {} \;; ls; find . -type f -print0 | xargs -0 ls
E
check xargs-plain <<'E'
echo 1 2 3 4 5 | xargs -n 2 echo; printf 'a\nb\n' | xargs -I {} echo '[{}]'; echo | xargs echo none; seq 1 3000 | xargs | wc -w; echo x | xargs false; echo $?; echo x | xargs nosuch; echo $?
E
check grep-basic <<'E'
printf 'apple\nbanana\nCherry\n' > f; grep an f; grep -i cherry f; grep -v an f; grep -c a f; grep -n a f; grep -q zzz f; echo $?; grep x none; echo $?; grep -l apple f; grep -o 'an' f; grep -w ban f; echo $?
E
check grep-regex <<'E'
printf 'a1\nb22\nc333\n\nd 4\n' | grep -E '[0-9]{2,}'; printf 'foo(bar)\nfoobar\n' | grep -F '(bar)'; printf 'ab\nabab\n' | grep '^\(ab\)\1$'; printf 'x\n' | grep -E 'a|x|b'; printf 'one\ntwo\nthree\nfour\n' | grep -A1 -B1 three
E
check grep-recursive <<'E'
mkdir -p d/e; echo needle > d/a; echo hay > d/b; echo needle > d/e/c; grep -r needle d | sort; grep -rl needle d | sort; grep -rL needle d
E
check sed-basic <<'E'
printf 'one\ntwo\nthree\n' > f; sed 's/o/0/' f; sed -n 2p f; sed '/two/d' f; sed '2i inserted' f; sed '$a end' f; sed 's/\(t\)\(w\)/\2\1/' f; sed -e '1d' -e 's/e/E/g' f; sed y/abc/xyz/ f
E
check sed-in-place <<'E'
echo hello > f; sed -i 's/hello/bye/' f; cat f; sed -i.bak s/bye/x/ f; cat f f.bak
E
check sed-program <<'E'
seq 1 10 | sed -n '$!{h;d};x;G;p'; seq 1 6 | sed 'N;s/\n/,/'; printf 'a b\n' | sed -E 's/(.) (.)/\2 \1/'; seq 1 5 | sed '2,4!d'; seq 1 3 | sed ':a;N;$!ba;s/\n/-/g'
E
check awk-basic <<'E'
printf '1 a\n2 b\n3 c\n' | awk '{s+=$1; print $2} END {print s, NR}'; awk 'BEGIN {printf "%05.2f|%s|%d|%x\n", 3.14159, "s", 42, 255}'; echo a:b | awk -F: '{print $2}'; awk -v x=5 'BEGIN{print x*2}'
E
check awk-program <<'E'
awk 'BEGIN { for (i=0;i<5;i++) a[i]=i*i; n=0; for (k in a) n+=a[k]; print n; print substr("hello",2,3), length("abc"), index("abc","c"), toupper("x"); print split("a b c",q), q[3]; s="aaa"; gsub(/a/,"b",s); print s; print 2^10, 7%3, -3/2, 1e3; exit 3 }'; echo $?
E
check awk-io <<'E'
awk 'BEGIN { print "to file" > "f"; close("f"); while ((getline l < "f") > 0) print "read", l; "echo from cmd" | getline c; print c; print "z\na" | "sort"; close("sort"); print system("exit 3") }'
E
check awk-functions <<'E'
awk 'function fib(n) { return n < 2 ? n : fib(n-1) + fib(n-2) } BEGIN { print fib(15); printf "%.6f %.6f\n", sin(1), exp(1); print int(3.9), sqrt(16), match("foobar", /o+/), RSTART, RLENGTH }'
E
check sort-basic <<'E'
printf '3\n1\n2\n10\n' > f; sort f; sort -n f; sort -nr f; printf 'b 2\na 1\n' | sort -k2; printf 'a\nb\na\n' | sort -u; printf 'x:3\ny:1\n' | sort -t: -k2n; sort -c f; echo $?
E
check sort-large <<'E'
seq 1 20000 | awk '{print ($1*7919)%20011}' | sort -n | md5sum
E
check uniq-basic <<'E'
printf 'a\na\nb\nc\nc\nc\n' > f; uniq f; uniq -c f | sed 's/^ *//'; uniq -d f; uniq -u f
E
check cut-basic <<'E'
echo a:b:c:d | cut -d: -f2,4; echo abcdef | cut -c2-4; echo 'x y z' | cut -d' ' -f2-; printf 'no\n' | cut -d: -f2 -s
E
check tr-basic <<'E'
echo hello | tr a-z A-Z; echo aabbcc | tr -s a-c; echo h3ll0 | tr -d 0-9; echo abc | tr abc xyz; printf 'a b' | tr ' ' '\n'; echo; echo hello | tr -c 'a-l\n' _
E
check wc-basic <<'E'
printf 'one two\nthree\n' > f; wc f; wc -l < f; wc -w < f; wc -c < f; wc -L f; wc f f | tail -n 1; wc none; echo $?
E
check head-tail <<'E'
seq 1 20 > f; head -n 3 f; tail -n 3 f; head -c 5 f; tail -c 4 f; tail -n +18 f; head -n -17 f; seq 5 | tail -n 2; head f f -n 1
E
check tail-follow <<'E'
echo start > f; (sleep 0.3; echo more >> f; sleep 1.5; kill $(cat p)) & tail -f f & echo $! > p; wait $! 2>/dev/null; wait; echo end
E
check tee-basic <<'E'
echo data | tee a b; cat a b; echo more | tee -a a > /dev/null; cat a
E
check dd-basic <<'E'
printf 0123456789 > f; dd if=f bs=2 skip=1 count=2 2>/dev/null; echo; dd if=f of=g bs=1 seek=5 count=3 2>/dev/null; od -c g; dd if=f of=f bs=1 seek=2 count=2 conv=notrunc 2>/dev/null; cat f; echo; dd if=/dev/zero of=h bs=1k count=5 2>&1 | head -n 2; wc -c < h; dd if=none; echo $?
E
check dd-sparse <<'E'
dd if=/dev/zero of=f bs=1 seek=1048575 count=1 2>/dev/null; wc -c < f; md5sum < f
E
check null-and-zero <<'E'
cat /dev/null | wc -c; echo lost > /dev/null; echo $?; echo lost > /dev/zero; echo $?; dd if=/dev/zero bs=5000 count=3 2>/dev/null | wc -c; dd if=/dev/zero bs=10 count=2 2>/dev/null | od -c
exec 3> /dev/null; cat <&3; echo $?; echo more >&3; echo $?; exec 4< /dev/zero; echo x >&4; echo $?; head -c 3 <&4 | od -c; exec 5<> /dev/zero; echo x >&5; echo $?; head -c 2 <&5 | od -c
exec 6<&4 7>&3; sh -c 'head -c 4 <&6 | od -c; echo y >&7; echo $?; cat <&7; echo $?'; stat -c '%t %T %A' /dev/null /dev/zero; dd if=/dev/null of=f bs=1 2>/dev/null; wc -c < f
E
check cat-basic <<'E'
printf 'a\n\nb\n' > f; cat f f; cat -n f; echo in | cat - f; cat none f; echo $?; cat -A f; cat . ; echo $?
E
check od-hexdump <<'E'
printf 'ABC\001\377\n' > f; od -c f; od -x f; od -A d -t x1 f; hexdump -C f; hexdump f; xxd f; dd if=/dev/zero bs=64 count=1 2>/dev/null | od
E
check tar-plain <<'E'
mkdir -p d/e; echo 1 > d/1; echo 2 > d/e/2; ln -s 1 d/l; ln d/1 d/h; tar cf t.tar d; tar tf t.tar | sort; mkdir x; tar xf t.tar -C x; cat x/d/1 x/d/e/2; readlink x/d/l; stat -c %h x/d/1; tar tf none; echo $?
E
check tar-compressed <<'E'
mkdir d; seq 1 2000 > d/f; tar czf t.gz d; tar tzf t.gz; rm -r d; tar xzf t.gz; md5sum d/f; tar cjf t.bz2 d; tar xjf t.bz2 -O | md5sum
E
check tar-pipe <<'E'
mkdir -p a/b; seq 1 100 > a/b/c; tar cf - a | (mkdir o; cd o; tar xf -); cmp a/b/c o/a/b/c && echo same; tar cf t a; tar xf t a/b/c -O | tail -n 1
E
check gzip-gunzip <<'E'
seq 1 3000 > f; cp f g; gzip f; ls; gunzip f.gz; cmp f g && echo same; gzip -c f | gunzip -c | md5sum; gzip -c f | zcat | wc -l; echo bad > x.gz; gunzip x.gz; echo $?; gzip -1 -k g; ls
E
check bzip2-bunzip2 <<'E'
seq 1 3000 > f; md5sum < f; bzip2 f; ls; bzcat f.bz2 | md5sum; bunzip2 f.bz2; ls
E
check xz-decompress <<'E'
printf '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQAFaGVsbG8KAAAAAHx4yk7ZvxTfAAEeBsEvGMgftvN9AQAAAAAEWVo=' | base64 -d > f.xz; xz -d < f.xz; xzcat f.xz; echo $?; echo junk | xz -d; echo $?
E
check checksums <<'E'
printf abc | md5sum; printf abc | sha1sum; printf abc | sha256sum; printf abc | sha512sum; printf abc > f; md5sum f > s; md5sum -c s; echo x >> f; md5sum -c s; echo $?; cksum f 2>/dev/null; crc32 f
E
check diff-plain <<'E'
printf 'a\nb\nc\n' > x; printf 'a\nB\nc\nd\n' > y; diff x y | sed 's/^\([-+]\{3\} [xy]\).*/\1/'; diff x x; echo $?; diff -q x y; diff x none; echo $?; mkdir d e; echo 1 > d/f; echo 2 > e/f; diff -rq d e
E
check patch-plain <<'E'
printf 'a\nb\nc\n' > x; printf 'a\nB\nc\n' > y; diff -u x y > p; patch x < p; cmp x y && echo patched; patch -R x < p; cat x
E
check cmp-comm <<'E'
echo abc > a; echo abd > b; cmp a b; echo $?; cmp a a; cmp -s a b; echo $?; printf '1\n2\n' > x; printf '2\n3\n' > y; comm x y 2>/dev/null
E
check vi-script <<'E'
printf 'one\ntwo\nthree\n' > f; (printf '\033[24;80R'; sleep 0.2; printf ':2d\rGofour'; sleep 0.2; printf '\033'; sleep 0.3; printf ':wq\r') | vi f > /dev/null 2>&1; cat f
E
check vi-substitute <<'E'
printf 'aaa\nbbb\n' > f; printf '\033[24;80R:1s/a/X/g\r:$\rddP:wq\r' | vi f > /dev/null 2>&1; cat f
E
check ed-script <<'E'
printf 'a\nb\nc\n' > f; printf '2d\n1a\nnew\n.\nw\nq\n' | ed f; cat f
E

### processes
check ps-list <<'E'
ps > o; head -n 1 o; grep -c 'ps' o | sed 's/[1-9][0-9]*/some/'; ps -o pid,ppid,comm > p 2>&1; head -n 1 p; ps -o comm | grep -x ps
E
check proc-self <<'E'
cat /proc/self/comm; readlink /proc/self/exe; cat /proc/self/cmdline | tr '\0' ' '; echo; ls /proc/self/fd > /dev/null && echo fds; [ "$(readlink /proc/self)" -gt 0 ] && echo pid; grep -c ^Name: /proc/self/status; grep Uid: /proc/self/status
E
check proc-shell <<'E'
cat /proc/$$/comm; [ -d /proc/$$ ] && echo dir; cut -d' ' -f3 /proc/$$/stat; ls /proc/99999; echo $?
E
check kill-plain <<'E'
sleep 20 & p=$!; kill -0 $p; echo $?; kill $p; wait $p 2>/dev/null; echo $?; kill -0 $p 2>/dev/null; echo $?; kill -l | head -n 3; kill -l 9; kill -XX 1; echo $?
E
check kill-stop-continue <<'E'
(sleep 0.2; echo ran > f) & p=$!; kill -STOP $p; sleep 0.4; ls; kill -CONT $p; wait $p; cat f
E
check kill-group <<'E'
sh -c 'sleep 30 & sleep 30 & wait' & sleep 0.2; kill $!; wait $! 2>/dev/null; echo $?; killall sleep; echo $?
E
check sleep-fraction <<'E'
sleep 0.05; echo $?; sleep 0; sleep x; echo $?
E
check time-command <<'E'
time true 2> t; time -p sleep 0.1 2>&1 | cut -d' ' -f1; time sh -c 'exit 3'  2>/dev/null; echo $?
E
check timeout-command <<'E'
timeout 0.2 sleep 5; echo $?; timeout 5 true; echo $?; timeout -s KILL 0.2 sleep 5; echo $?; timeout 5 sh -c 'exit 9'; echo $?
E
check env-command <<'E'
env -i A=1 env; env -i A=1 sh -c 'echo $A$B'; env -u HOME sh -c 'echo [$HOME]'; A=x env | grep ^A=; env nosuch; echo $?
E
check id-root <<'E'
id -u; id -g; id -un; id -gn; id; whoami; id user; id nosuch; echo $?; groups
E
check su-user <<'E'
su user -c 'id; pwd > /dev/null; echo $HOME; whoami'; su user -c 'cat /etc/shadow > /dev/null 2>&1 || echo denied'; su user -c 'exit 4'; echo $?
E
check permissions-user <<'E'
mkdir private; chmod 700 private; echo secret > f; chmod 600 f; mkdir open; chmod 777 open; su user -c 'cat f; ls private; touch open/mine; stat -c %U open/mine; touch notmine; rm f; chmod 777 f; echo x > /etc/passwd; kill -9 1; ls open; cd private; mkdir open/d; rmdir open/d && echo ok'; su user -c 'echo w > open/mine; chown root open/mine; chmod 644 open/mine; cat open/mine'
E
check sticky-directory <<'E'
mkdir t; chmod 1777 t; echo root > t/f; chmod 666 t/f; su user -c 'echo user >> t/f; rm t/f; mv t/f t/g; touch t/u; rm t/u && echo removed'; cat t/f
E
check setgid-directory <<'E'
mkdir d; chgrp 8 d; chmod 2777 d; touch d/f; mkdir d/s; stat -c '%g %a' d/f d/s
E
check date-command <<'E'
date -d @0; date -u -d @1000000000 '+%Y-%m-%d %H:%M:%S'; date -d '2020-02-29 12:00' +%s; date +%Y | grep -c 20; date -d garbage; echo $?
E
check date-sane <<'E'
[ $(date +%s) -gt 1700000000 ] && echo after 2023; a=$(date +%s); sleep 1; b=$(date +%s); [ $((b-a)) -ge 1 ] && [ $((b-a)) -le 3 ] && echo ticking
E
check mktemp-command <<'E'
f=$(mktemp); [ -f $f ] && stat -c '%a %s' $f; rm $f; d=$(mktemp -d); stat -c '%a %F' $d; rmdir $d; f=$(mktemp ./xXXXXXX); echo ${#f}; ls | wc -l
E
check mkfifo-command <<'E'
mkfifo p; stat -c '%F %a' p; echo through > p & cat p; wait; mkfifo p; echo $?; (sleep 0.1; seq 1 1000 > p) & wc -l < p; [ -p p ] && echo fifo
E
check mkfifo-two-writers <<'E'
mkfifo p; (exec 3> p; echo a >&3; sleep 0.2; echo b >&3) & (sleep 0.1; echo c > p) & cat p | sort; wait
E
check mknod-command <<'E'
mknod n c 1 3; stat -c '%F %t %T' n; echo x > n; cat n; echo $?; mknod p p; stat -c %F p; rm n p
E
check readlink-realpath <<'E'
mkdir -p a/b; touch a/b/f; ln -s a/b l; ln -s l m; readlink m; readlink -f m/f | sed 's,.*/readlink,readlink,'; realpath l/../b/f | sed 's,.*/readlink,readlink,'; readlink a; echo $?; realpath none; realpath /no/such; echo $?; basename /a/b.c .c; dirname /a/b.c
E
check sync-command <<'E'
echo x > f; sync; echo $?; fsync f 2>/dev/null; cat f
E
check df-command <<'E'
mkdir m; mount -t tmpfs -o size=1M none m; dd if=/dev/zero of=m/f bs=4096 count=16 2> /dev/null; df -k m | tr -s ' ' | sed 's, /.*/, ,'; df /nonexistent > /dev/null 2>&1; echo $?; umount m
E
check du-command <<'E'
mkdir d; dd if=/dev/zero of=d/f bs=4096 count=4 2>/dev/null; du -k d/f | cut -f1; du -s d > /dev/null; echo $?
E
check mount-tmpfs <<'E'
mkdir m; mount -t tmpfs none m; echo $?; echo inside > m/f; cat m/f; grep -c "/mount-tmpfs/m " /proc/mounts; mount | grep -c mount-tmpfs/m; umount m; echo $?; ls m; umount m; echo $?
E
check exec-cut-off <<'E'
for size in 0 1 63 64 100 4096 20000 300000 1000000 1900000; do head -c $size /bin/busybox > true; chmod +x true; env ./true > /dev/null 2>&1; echo $size $?; done; cp /bin/busybox true; ./true; echo $?
E
check text-busy-running <<'E'
cp /bin/busybox sleep; ./sleep 100 & sleep 1
echo x > sleep; echo $?; cat /dev/null >> sleep; echo $?; truncate -s 0 sleep; echo $?; cat sleep > /dev/null; echo $?
{ kill $!; wait $!; } 2> /dev/null; echo y > sleep; echo $?; cat sleep
mkdir a; cp /bin/busybox a/busybox; (exec a/busybox sh -c '(while :; do :; done) & echo $! > pid'); echo x > a/busybox; echo $?
kill -9 $(cat pid); sleep 1; echo y > a/busybox; echo $?
mkdir b; cp /bin/busybox b/sleep; b/sleep 100 & sleep 1; mv b/sleep b/s; rm b/s; echo new > b/s; cat b/s; kill $!
E
check text-busy-written <<'E'
cp /bin/busybox true; exec 5>> true; ./true; echo $?; exec 5>&-; ./true; echo $?; exec 5< true; ./true; echo $?
printf '#!/bin/sh\necho ran\n' > s; chmod +x s; exec 6>> s; ./s; echo $?; exec 6>&-; ./s; echo $?
E
check text-busy-not-after-the-end <<'E'
i=0; while [ $i -lt 100 ]; do cp /bin/busybox true || echo no; ./true || echo not; i=$((i + 1)); done; echo $i
E
check mount-information <<'E'
mkdir 'm n' b; mount -t tmpfs -o nosuid,noexec src 'm n'; mkdir 'm n/sub'; mount -o bind 'm n/sub' b
grep checks/mount-inf /proc/self/mountinfo | sed 's/^[0-9]* [0-9]* [0-9]*:[0-9]* //; s/,relatime//; s/ - tmpfs [^ ]* rw.*/ - tmpfs/; s, [^ ]*/checks/, ,'
set -- $(grep -F 'm\040n' /proc/self/mountinfo); [ $3 = 0:$(stat -c %d 'm n') ] && echo device; [ $(grep -c "^$2 " /proc/self/mountinfo) = 1 ] && echo parent
umount b; umount 'm n'; grep -c checks/mount-inf /proc/self/mountinfo
E
check mount-busy <<'E'
mkdir m; mount -t tmpfs none m; cd m; umount ../m 2>/dev/null || umount $PWD 2>/dev/null; echo $?; cd ..; umount m; echo $?; mount -t nosuchfs none m; echo $?
E
check mount-bind <<'E'
mkdir a b; echo x > a/f; mount -o bind a b; cat b/f; echo y > b/g; cat a/g; umount b; ls b
E
check mount-over <<'E'
mkdir -p m/sub; touch m/under; mount -t tmpfs none m; ls m; touch m/over; ls m; umount m; ls m
E

### devices and special files
check dev-null-zero <<'E'
echo gone > /dev/null; cat /dev/null; head -c 5 /dev/zero | od -c; echo x > /dev/full; echo $?; head -c 16 /dev/urandom | wc -c; head -c 8 /dev/random | wc -c; [ -c /dev/null ] && echo char
E
check dev-stdio <<'E'
echo via > /dev/stdout; echo in | cat /dev/stdin; echo err > /dev/stderr; ls -d /dev/fd/0; echo fd | cat /dev/fd/0
E
check file-append <<'E'
(for i in 1 2 3 4 5; do echo a$i >> f; done) & (for i in 1 2 3 4 5; do echo b$i >> f; done) & wait; sort f | tr '\n' ' '
E
check file-truncate <<'E'
echo 1234567890 > f; truncate -s 4 f; cat f; echo; truncate -s 8 f; od -c f; : > f; wc -c < f; truncate -s 1M f; wc -c < f
E
check file-holes <<'E'
printf a > f; dd if=f of=g bs=1 seek=100000 2>/dev/null; wc -c < g; tr -d '\0' < g; echo; cmp g g && echo same
E
check file-names <<'E'
touch -- '-dash' 'sp ace' 'new
line' "qu'ote" 'uml\303'; ls | wc -l; ls -b 2>/dev/null | head -n 1; rm -- -dash; touch $(printf 'n%.0s' $(seq 1 255)); echo $?; touch $(printf 'n%.0s' $(seq 1 256)); echo $?
E
check path-deep <<'E'
p=.; i=0; while [ $i -lt 60 ]; do p=$p/directory$i; i=$((i+1)); done; mkdir -p $p; echo deep > $p/f; cat $p/f; rm -r directory0; ls
E
check path-dots <<'E'
mkdir -p a/b; echo x > a/f; cat a/b/../f; cat ./a/./f; cat a//f; ls /../etc/passwd; cd a/b; ls ../..; cat a/b/..; echo $?; mkdir a/.; rmdir .; echo $?
E
check path-trailing-slash <<'E'
mkdir d; touch f; ls -d d/; cat f/; echo $?; mkdir e/; ls; ln -s d l; ls -d l/; rmdir l; echo $?; mv f g/; echo $?
E
check not-directory <<'E'
touch f; cat f/x; echo $?; mkdir f/d; echo $?; cd f; echo $?; ls f/
E
check flock-command <<'E'
(flock 9 2>/dev/null || echo noflock; echo held) 9> l; ls
E
check cpio-command <<'E'
mkdir d; echo x > d/f; find d | sort | cpio -o -H newc > a 2>/dev/null; mkdir o; cd o; cpio -id < ../a 2>/dev/null; cat d/f
E
check seq-expr-bc <<'E'
seq 3; seq 2 2 8; seq 5 -1 3; expr 3 + 4; expr 10 / 3; expr abc : 'a\(.*\)'; echo '2^64; 10/3; scale=3; 10/3' | bc; echo '5 3 + p' | dc; factor 360
E
check misc-text <<'E'
printf 'a\tb\n' | expand; rev <<A
abc
A
tac <<A
1
2
A
printf '1\n2\n3\n' | paste - - -; nl <<A
x
y
A
fold -w 3 <<A
abcdefg
A
printf 'x\r\n' | dos2unix | od -c; echo abc | base64; echo YWJjCg== | base64 -d; strings /bin/busybox | grep -c 'BusyBox v1' | sed 's/[1-9][0-9]*/some/'; split -l 1 2>/dev/null; shuf -e one
E
check cal-command <<'E'
cal 2 2024; cal 9 1752 | head -n 4
E
check uname-hostname <<'E'
uname -s; uname -m; hostname > /dev/null; echo $?; uname -o; nproc | grep -c '[0-9]'; arch
E
check usleep-which <<'E'
usleep 1000; echo $?; which cat sh; which nosuch; echo $?; yes no | head -n 2; true; false; echo $?; tty; echo $?; printf '%b' 'a\tb\n'; printf '%5s|%-5s|\n' a b; printf '%s\n' x y z
E
check free-uptime <<'E'
free | head -n 1 | tr -s ' '; uptime | grep -c 'load average'; cat /proc/uptime | wc -w; grep -c MemTotal /proc/meminfo; cat /proc/loadavg | wc -w; grep -c processor /proc/cpuinfo | sed 's/[1-9][0-9]*/some/'
E
check nohup-setsid <<'E'
nohup sh -c 'echo nohup ok' 2>/dev/null; setsid sh -c 'echo setsid ok'; nice -n 5 sh -c 'nice'; renice 1 $$ > /dev/null 2>&1; echo $?
E
check chroot-command <<'E'
mkdir -p r/bin; cp /bin/busybox r/bin/; ln -s busybox r/bin/sh; chroot r /bin/sh -c 'echo inside; pwd; cd ..; pwd; ls / 2>/dev/null || busybox ls /'; chroot none sh; echo $?
E
check run-parts <<'E'
mkdir p; printf '#!/bin/sh\necho part one\n' > p/01; printf '#!/bin/sh\necho part two\n' > p/02; chmod +x p/*; run-parts p
E
check start-stop-pipe <<'E'
mkfifo a b; cat < a > b & echo loop > a & cat b; wait
E
check many-open-files <<'E'
i=3; while [ $i -lt 60 ]; do i=$((i+1)); eval "exec $((i%7+3))> f$i"; done; ls | wc -l
E
check large-pipe <<'E'
dd if=/dev/zero bs=1024 count=4096 2>/dev/null | wc -c; dd if=/dev/zero bs=1 count=10000 2>/dev/null | dd bs=7777 2>/dev/null | wc -c; seq 1 100000 | md5sum
E
check compress-roundtrip <<'E'
cp /bin/busybox b; gzip b; gunzip b.gz; cmp b /bin/busybox && echo identical; bzip2 -1 < b | bunzip2 | cmp - b && echo identical
E
