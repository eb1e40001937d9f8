"""Passwords of ten and more characters that everybody tries: the head of the public lists of leaked ones, with the
favourites of Chinese sites. Shorter ones are refused for their length, and plain runs by rule.
"""

_LIST = """
1234567890 0123456789 12345678910 123456789a 123456789q 123456789abc a123456789 aa123456789 q123456789 w123456789
qq123456789 abc123456789 123456789qq 123456789aa 1234567890a 1234567890q 0987654321 9876543210 1029384756
1122334455 1020304050 1234554321 1234512345 1231231231 123123123a 123321123321 1111111111 0000000000 8888888888
6666666666 5201314520 5211314520 1314520520 5845201314 5845211314 woaini1314 woaini520 woaini5201314
woaini1314520 woaini123 woaini123456 wo5201314 iloveyou1314 aini1314520 aiwoaini1314 147258369a 1472583690
7894561230 147896325a 741852963a 159357456 1597534862 qwertyuiop qwerty12345 qwerty123456 qwerty1234 qwert12345
qwe123qwe123 qwer123456 qweasdzxc123 qazwsxedc123 1qaz2wsx3edc 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4t5 q1w2e3r4t5y6
zaq12wsxcde3 asdfghjkl1 asdfghjkl123 asdf123456 zxcvbnm123 zxcvbnm1234 abcd123456 abcd12345678 abc1234567
abcdefghij abcdefg123 a1b2c3d4e5 aaaaa11111 aaaaaaaaaa a12345678910 aa12345678 password00 password01 password10
password11 password12 password123 password1234 password12345 password123456 password123! password1! passw0rd12
passw0rd123 p@ssw0rd123 p@ssw0rd1234 p@ssword123 p@$$w0rd123 pass123456 pass1234567 mypassword mypassword1
mypassword123 newpassword newpassword1 yourpassword thepassword passwordpassword letmein123 letmein1234
welcome123 welcome1234 welcome12345 welcome2024 welcome2025 welcome2026 admin12345 admin123456 admin1234567
admin@1234 admin@123456 administrator administrator1 root123456 test123456 testtest123 guest12345 user123456
changeme123 changeme1234 default123 temp123456 temppassword iloveyou12 iloveyou123 iloveyou1234 ilovey0u123
iloveyou00 iloveyou01 sunshine123 princess123 football123 baseball123 basketball basketball1 superman123
batman12345 dragon12345 monkey12345 shadow12345 master12345 michael123 jordan2323 pokemon1234 starwars123
trustno1234 whatever123 computer123 internet123 blink182182 soccer12345 hello12345 hello123456 helloworld
helloworld1 helloworld123 secret12345 summer2024 summer2025 summer2026 spring2024 spring2025 spring2026
winter2024 winter2025 winter2026 autumn2024 autumn2025 autumn2026 beijing2008 beijing2022 shanghai123
china123456 zhongguo123 zhongguo1949 zhonghua123 wang123456 zhang123456 li123456789 liu1234567 chen123456
yang123456 huang123456 zhao123456 woshishui123 woshinidie woshinibaba nihao12345 nihao123456 caonima123
caonima123456 tiancai123 dearbook1 qaz123456789 qaz1234567 wsx1234567 zxc1234567 zxc123456789 asd1234567
asd123456789 qwe1234567 qwe123456789 correcthorsebatterystaple
"""

COMMON_PASSWORDS: frozenset[str] = frozenset(_LIST.split()) | {"correct horse battery staple"}
