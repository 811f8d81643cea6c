# Debian's ipcmk, ipcs and ipcrm, and the files below /proc that they read: on Linux and in the guest, compared.
cat /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg
ipcmk -M 5000 -S 3 -Q -p 0600 > /dev/null
ipcs | sed 's/0x[0-9a-f]*/KEY/'
ipcs -l
ipcs -u
ipcs -c
ipcs -t | grep -c :
ipcs -p | grep -c root
ipcs -m -i 0 | head -4
ipcs -s -i 0 | head -4
ipcs -q -i 0 | head -4
for list in shm sem msg; do awk '{ print $2, $3, $4 }' /proc/sysvipc/$list; done
head -c 20 /proc/sysvipc/sem; echo
dd if=/proc/sysvipc/msg bs=7 2> /dev/null | head -1
ipcrm -m 0 -s 0 -q 0; echo $?
ipcrm -m 0 2> /dev/null; echo $?
ipcs
for limit in shmmax shmall shmmni sem msgmax msgmnb msgmni; do echo $limit $(cat /proc/sys/kernel/$limit); done
test -w /proc/sysvipc/shm; echo x > /proc/sysvipc/shm 2> /dev/null; echo $?
cat /proc/sysvipc > /dev/null 2>&1; echo $?
