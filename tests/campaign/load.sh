# A shell at work for a number of rounds: copies, archives, checksums and compares a tree. Prints the same whatever happens to the servers.
# usage: load.sh ROUNDS
rounds=$1
mkdir -p /tmp/load/tree && cd /tmp/load || exit 1
i=0
while [ $i -lt 8 ]; do
	mkdir -p tree/d$i && head -c $((i * 7000 + 1000)) /bin/busybox > tree/d$i/part && echo "file $i" > tree/d$i/text
	i=$((i + 1))
done
round=0
while [ $round -lt "$rounds" ]; do
	round=$((round + 1))
	cp -r tree copy && tar cf archive.tar tree && mkdir out && tar xf archive.tar -C out
	(cd tree && find . -type f | sort | xargs md5sum) > a.sum
	(cd copy && find . -type f | sort | xargs md5sum) > b.sum
	(cd out/tree && find . -type f | sort | xargs md5sum) > c.sum
	if cmp a.sum b.sum && cmp a.sum c.sum; then
		echo "round $round: $(md5sum < a.sum) $(wc -l < a.sum) files"
	else
		echo "round $round: DIFFERENT"
	fi
	rm -r copy out archive.tar
done
