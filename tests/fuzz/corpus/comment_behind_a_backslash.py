import aiohttp
def f():
 with(aiohttp).ClientSession()as s:\
#
  ()